"""Whether a process may be forked: what a fork has in common with it must be good for both."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_NOTHING = os.stat_result((0,) * 10)


class Undivided:
    """What was there before an application was imported: its threads and descriptors are not the import's."""

    def __init__(self) -> None:
        self._descriptors, self._threads = _descriptors(), set(threading.enumerate())

    def since(self, *, besides: Collection[int] = ()) -> str:
        """What has been begun since and would be shared by a fork; empty where it may be made. besides: descriptors that are meant to be.

        A thread is not in the fork, and its locks are. A connection or a database file would have two owners.
        """
        threads = sorted(each.name for each in set(threading.enumerate()) - self._threads)
        if threads:
            return f"a thread runs ({threads[0]})"
        for descriptor, status in _descriptors().items():
            is_new = not os.path.samestat(status, self._descriptors.get(descriptor, _NOTHING))
            if is_new and descriptor not in besides:
                what = _owned(descriptor, status.st_mode)
                if what:
                    return f"{what} is open (descriptor {descriptor})"
        return ""


def _descriptors() -> dict[int, os.stat_result]:
    found = {}
    for each in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        with suppress(OSError):  # the listing's own
            found[each] = os.fstat(each)
    return found


def _owned(descriptor: int, mode: int) -> str:
    if stat.S_ISREG(mode):
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        is_shared_well = flags & os.O_ACCMODE == os.O_RDONLY or flags & os.O_APPEND
        return "" if is_shared_well else "a file that is written to"
    if stat.S_ISSOCK(mode):
        return "a connection"
    return "" if stat.S_ISDIR(mode) or stat.S_ISCHR(mode) else "a pipe or an event loop"

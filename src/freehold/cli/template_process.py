"""A process that has imported the application and serves nobody: workers are forked from it, in some hundredths of a second.

An import takes seconds of processor time, which a worker that dies under load would have to find. What a template has is the
code as it was imported: a roll makes a new one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, NoReturn

from freehold.cli import handover
from freehold.cli.process import Load, serve_as_worker, telling
from freehold.cli.undivided import Undivided
from freehold.collector import paused

ANSWER, WISH = struct.Struct("!q"), struct.Struct("!cq")
LOADED, UNDIVIDED, UNKNOWN = 1, 0, -1_000
# Imported as late as when a process begins to serve.
_LATE = ("freehold.web.edge_server", "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvloop")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def load_and_live(target: str, listener: socket.socket, channel: socket.socket, loads: Load) -> None:
    """In an interpreter of its own. See `live`."""

    def work() -> None:
        whole = Undivided()
        with paused(for_good=True):
            app = loads(target)
            warm(app)
        if because := whole.since():
            tell(because)
        live(app, listener, channel, because=because)

    telling(work)


def live(app: Any, listener: socket.socket, channel: socket.socket, *, because: str = "") -> NoReturn:
    """Do what is wished; without a supervisor hand the port over to the next. because: why nothing can be forked from it.

    Ends by SystemExit, in the template and in each worker.
    """
    wishes = _Wishes(channel)
    for number in _SIGNALS:  # a process group is signalled as a whole; the supervisor alone decides about its end
        signal.signal(number, wishes.note)
    handed_over: list[int] = []
    with contextlib.suppress(OSError):  # the supervisor has ended
        channel.sendall(ANSWER.pack(UNDIVIDED if because else LOADED))
        handed_over = [] if because else wishes.fork_when_wished()
    channel.close()
    if handed_over:
        told, lifeline = Connection(handed_over[0]), Connection(handed_over[1])
        telling(partial(serve_as_worker, app, listener, told, lifeline))
    elif wishes.alive is not None:
        for number in _SIGNALS:  # nobody else decides now
            signal.signal(number, signal.SIG_DFL)
        if not wishes.is_over:
            handover.offer(listener, wishes.alive)
    raise SystemExit(0)


class _Wishes:
    """What the supervisor wishes for. alive: what its workers hang on, once it has handed that over."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.alive: int | None = None
        self.is_over = False
        """Whether all of them were told to end: whoever watches over the program does that once its first process is gone."""

    def note(self, number: int, frame: FrameType | None) -> None:
        """Hear a signal."""
        self.is_over = self.is_over or number != signal.SIGHUP

    def fork_when_wished(self) -> list[int]:
        """In each fork, what was handed over to it. In the template nothing, when nobody wishes any more. Raises OSError too then."""
        while wish := self._next():
            what, pid, handed_over = wish
            if what == b"f":
                pid = fork()
                if not pid:
                    self._forget_alive()
                    return handed_over
                for each in handed_over:
                    os.close(each)
                answer = pid
            else:
                status = status_of(pid)
                answer = UNKNOWN if status is None else status
            self._channel.sendall(ANSWER.pack(answer))
        return []

    def _next(self) -> tuple[bytes, int, list[int]] | None:
        data, handed_over, _, _ = socket.recv_fds(self._channel, WISH.size, 3)
        if len(data) < WISH.size:
            return None
        if len(handed_over) == 3:
            self._forget_alive()
            self.alive = handed_over.pop()
            os.set_inheritable(self.alive, False)
        what, pid = WISH.unpack(data)
        return what, pid, handed_over

    def _forget_alive(self) -> None:
        if self.alive is not None:
            os.close(self.alive)
            self.alive = None


def fork() -> int:
    """As `os.fork`; what a signal does is the default again in the child, and none is lost in between."""
    sys.stdout.flush()  # or both would write what waits there
    sys.stderr.flush()
    with _blocked():
        pid = os.fork()
        if not pid:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
    return pid


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def status_of(pid: int) -> int | None:
    """As `Popen.returncode` has it; None where it is no child of this process."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None


def warm(app: Any) -> None:
    """Do what each worker would do when it begins to serve, as far as nothing is opened by it."""
    from fastapi import FastAPI
    from fastapi.routing import iter_route_contexts

    from freehold.web.release import release_of_code

    for name in _LATE:
        with contextlib.suppress(ImportError):  # on some machines uvicorn does without
            import_module(name)
    if isinstance(app, FastAPI):
        list(iter_route_contexts(app.routes))  # FastAPI works the routes of a router out when they are asked for
    release_of_code()


def tell(because: str) -> None:
    """Why each worker imports the application by itself."""
    sys.stderr.write(f"freehold: each worker imports the application by itself: {because} once it is imported\n")

"""Kept answers within one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from freehold.store.sqlite_outside import Outside
from freehold.store.touched import EVERYTHING, Change
from freehold.traffic.answers import MOST_NAMES, Kept

_ENTRY_BYTES = 400  # what an entry takes beside its key and value


@dataclass(slots=True)
class _Entry:
    value: bytes
    tables: frozenset[str]
    mark: int
    made: float
    ends: float

    def size(self, key: str) -> int:
        return len(self.value) + len(key) + _ENTRY_BYTES


class MemoryAnswers:
    """Answers within one process: the ones used longest ago make room.

    limit_bytes: for all answers with their keys; one alone may take an eighth. outside: tells of commits of other
    processes, which make every answer old. monotonic: the clock, replaced by tests.
    """

    def __init__(
        self,
        limit_bytes: int = 32 * 1024 * 1024,
        *,
        outside: Outside | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._now = monotonic
        self._outside = outside
        self._committing = 0
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._changes = self._replaced = 0
        self._changed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def mark(self) -> int:
        """See `Answers.mark`."""
        self._look_outside()
        return self._changes

    async def get(self, key: str) -> Kept | None:
        """See `Answers.get`."""
        self._look_outside()
        entry, now = self._entries.get(key), self._now()
        if entry is None:
            return None
        if now >= entry.ends or not self._is_current(entry.tables, entry.mark):
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return Kept(entry.value, entry.mark, now - entry.made)

    async def put(self, key: str, value: bytes, *, tables: Collection[str], mark: int, seconds: float) -> bool:
        """See `Answers.put`."""
        self._look_outside()
        now = self._now()
        entry = _Entry(value, frozenset(tables), mark, now, now + seconds)
        if entry.size(key) > self.limit_bytes // 8 or not self._is_current(entry.tables, mark):
            return False
        self._drop(key)
        self._entries[key] = entry
        self.used_bytes += entry.size(key)
        while self.used_bytes > self.limit_bytes:
            self._drop(next(iter(self._entries)))
        return True

    async def is_current(self, tables: Collection[str], mark: int) -> bool:
        """See `Answers.is_current`."""
        self._look_outside()
        return self._is_current(tables, mark)

    async def begin(self, key: str) -> bool:
        """See `Answers.begin`: there is no other process."""
        return True

    async def end(self, key: str) -> None:
        """See `Answers.end`."""

    def joins(self, change: Change) -> bool:
        """See `Watcher`: nothing of it."""
        return False

    async def will_change(self, change: Change) -> None:
        """See `Watcher`: until the commit is over, what was before it is as true."""
        self._look_outside()
        self._committing += 1

    async def has_changed(self, change: Change) -> None:
        """See `Watcher`."""
        self._committing = max(0, self._committing - 1)
        if self._outside is not None:
            self._outside.pass_over()  # on SQLite whoever commits is alone, from before `will_change` to here
        self._changes += 1
        tables = change.tables
        if len(self._changed) + len(tables) > MOST_NAMES:
            tables = (EVERYTHING,)
            self._changed.clear()
        for name in tables:
            self._changed[name] = self._changes

    async def has_been_replaced(self) -> None:
        """See `Watcher`."""
        self._drop_all()

    async def start(self) -> None:
        """See `Answers.start`."""

    async def close(self) -> None:
        """See `Answers.close`."""
        if self._outside is not None:
            self._outside.close()

    def _look_outside(self) -> None:
        if self._outside is not None and not self._committing and self._outside.has_written():
            self._drop_all()

    def _drop_all(self) -> None:
        self._changes += 1
        self._replaced = self._changes
        self._entries.clear()
        self.used_bytes = 0

    def _is_current(self, tables: Collection[str], mark: int) -> bool:
        if mark < self._replaced:
            return False
        if not tables:
            return True
        if EVERYTHING in tables:
            return self._changes <= mark
        changed = self._changed
        return changed.get(EVERYTHING, 0) <= mark and all(changed.get(name, 0) <= mark for name in tables)

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.used_bytes -= entry.size(key)

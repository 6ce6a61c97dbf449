"""Which tables a statement reads and writes, for whoever keeps answers that were made from them.

The compiler notes the tables of each statement, once; they are handed on when it runs. SQL as text cannot be seen
through: it counts as reading, and unless it plainly reads as writing, everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Final, Protocol
from uuid import uuid4

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

EVERYTHING: Final = "*"
"""Stands for every table."""

_FOLLOWS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
_READS = re.compile(r"\s*(?:select|values|with|show|explain|pragma|savepoint|release|rollback|set)\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(?:insert|update|delete|merge|truncate)\b", re.IGNORECASE)
_seen: ContextVar[set[str] | None] = ContextVar("fh_tables_read", default=None)


class Change:
    """A commit and the tables that it changes."""

    def __init__(self, tables: Collection[str], session_of: Callable[[], AsyncSession] | None = None) -> None:
        self.tables = tables
        self._session_of = session_of

    @cached_property
    def id(self) -> str:
        """Of this one among all that anybody does."""
        return uuid4().hex

    @property
    def session(self) -> AsyncSession | None:
        """Of its transaction, to write what must commit along with it."""
        return None if self._session_of is None else self._session_of()


class Watcher(Protocol):
    """Is told of every commit which tables it changes."""

    def joins(self, change: Change) -> bool:
        """Whether it may want something of the transaction of this change, before the commit or of it."""
        ...

    async def will_change(self, change: Change) -> None:
        """A commit is about to begin: from now on until `has_changed` it may be seen, or not. What is raised undoes it."""
        ...

    async def has_changed(self, change: Change) -> None:
        """The commit is over: done, undone, or of unknown outcome."""
        ...

    async def has_been_replaced(self) -> None:
        """The database holds something else than it did, by no commit: it was restored, or what was done is undone."""
        ...


class Watchers:
    """The watchers of an application; a part of its database."""

    def __init__(self) -> None:
        self._each: list[Watcher] = []

    def add(self, watcher: Watcher) -> None:
        """Tell this one too."""
        self._each.append(watcher)

    def join(self, change: Change) -> bool:
        """Whether one of them may want something of its transaction."""
        for watcher in self._each:  # noqa: SIM110 (at every write: a generator costs more than the question)
            if watcher.joins(change):
                return True
        return False

    async def will_change(self, change: Change) -> None:
        """Tell them all."""
        for watcher in self._each:
            await watcher.will_change(change)

    async def has_changed(self, change: Change) -> None:
        """Tell them all."""
        for watcher in self._each:
            await watcher.has_changed(change)

    async def has_been_replaced(self) -> None:
        """Tell them all."""
        for watcher in self._each:
            await watcher.has_been_replaced()


@contextmanager
def tables_read() -> Iterator[set[str]]:
    """The names of the tables that statements inside the block read, in whatever session."""
    found: set[str] = set()
    token = _seen.set(found)
    try:
        yield found
    finally:
        _seen.reset(token)


def note_read(tables: Collection[str]) -> None:
    """A statement on these tables runs."""
    seen = _seen.get()
    if seen is not None:
        seen.update(tables)


def written_table(target: Any) -> str:
    """The name of the table that a statement writes, also behind an alias."""
    return str(getattr(target, "element", target).name)


def written_by_text(statement: str) -> Collection[str]:
    """What SQL as text may write."""
    is_read = _READS.match(statement) is not None and _WRITES.search(statement) is None
    return () if is_read else (EVERYTHING,)


def changed_by_deleting(table: Any) -> set[str]:
    """A table and those that the database changes along with a deletion from it (ON DELETE CASCADE and the like)."""
    found = {table.name}
    reached = [table] if isinstance(table, Table) else []
    while reached:
        target = reached.pop()
        for other in target.metadata.tables.values():
            follows = any(
                (key.ondelete or "").upper() in _FOLLOWS and key.references(target) for key in other.foreign_keys
            )
            if follows and other.name not in found:
                found.add(other.name)
                reached.append(other)
    return found

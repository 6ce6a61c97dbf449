"""The part of a database that the library's own planned reads ask: where they go, and under which rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.resource.principal import Principal
from freehold.store.compiler import Scopes
from freehold.store.executor import Plan, SessionExecutor
from freehold.store.postgresql import Patience
from freehold.store.protection import Grant
from freehold.store.questions import Question
from freehold.store.read_path import Listeners, ReadPath, Unserved
from freehold.store.read_path_sqlite import SqliteReads
from freehold.store.reading import Reading, executor_of
from freehold.store.replicas import Replicas, read
from freehold.store.session import Session
from freehold.store.ways import Way

if TYPE_CHECKING:
    from freehold.store.database import Database

T = TypeVar("T")


class PlannedReads:
    """Mixed into `Database`.

    has_read_path: planned reads go to the driver itself, where they can; False before the start sends them all through
    SQLAlchemy. listeners: told of each statement of theirs.
    """

    has_read_path: bool
    listeners: Listeners
    _at_once: Way | None
    _read_path: ReadPath | None
    _read_scopes: Scopes | None

    def planned_reads(self, readers: AsyncEngine, patience: Patience) -> None:
        """Which engine they use. Nothing connects yet."""
        self._planned = readers, patience
        self.has_read_path, self.listeners = True, []
        self._read_path = self._read_scopes = self._at_once = None

    def asking(self, principal: Principal, *, grant: Grant | None = None) -> Reading:
        """The planned reads of a caller, which carry the rule in their text. grant: as in `Database.reading`."""
        return Reading(cast("Database", self), principal, grant)

    async def planned(
        self,
        principal: Principal,
        work: Callable[[Session | Reading], Awaitable[T]],
        *,
        tables: set[str],
        grant: Grant | None = None,
    ) -> T:
        """Run `work`, on a replica where one will do. It may be run twice. tables: as in `replicas.read`."""
        database = cast("Database", self)
        if Replicas in database.parts:
            return await read(database, principal, work, tables=tables, grant=grant, planned=True)
        async with self.asking(principal, grant=grant) as asking:
            return await work(asking)

    async def planned_rows(
        self, principal: Principal, plan: Plan, params: Mapping[str, Any], *, tables: set[str]
    ) -> Sequence[Row[Any]]:
        """As `planned`, where the work is one plan that gives columns."""
        path = self.read_path_of(principal)
        if path is None or Replicas in cast("Database", self).parts:
            return await self.planned(principal, lambda asking: executor_of(asking).fetch(plan, params), tables=tables)
        dialect, _ = self.read_scopes.dialect(principal, None)
        try:
            return await path.fetch(plan, params, principal=principal, dialect=dialect)
        except Unserved:
            async with cast("Database", self).reading(principal, planned=True) as session:
                return await SessionExecutor(session).fetch(plan, params)

    @property
    def has_questions(self) -> bool:
        """Whether `question` may have any."""
        return self._read_path is not None and Replicas not in cast("Database", self).parts

    def question(self, principal: Principal, plan: Plan, params: Mapping[str, Any]) -> Question | None:
        """As `planned_rows`, to be asked without waiting, where `has_questions`; None for what has to be waited for."""
        path, scopes = self.read_path_of(principal), self._read_scopes
        if path is None or scopes is None:
            return None
        dialect, _ = scopes.dialect(principal, None)
        try:
            return path.question(plan, params, principal=principal, dialect=dialect)
        except Unserved:
            return None

    def read_path_of(self, principal: Principal) -> ReadPath | None:
        """Where the planned reads of a caller go; None for SQLAlchemy's connections."""
        return self._read_path

    @property
    def at_once(self) -> Way | None:
        """Where units of one statement go; None for SQLAlchemy's connections."""
        return self._at_once

    @property
    def read_scopes(self) -> Scopes:
        """The dialects of planned reads. There once `Database.start` has run."""
        assert self._read_scopes is not None, "await database.start() first"
        return self._read_scopes

    def open_read_path(self, may_pass: bool) -> None:  # noqa: FBT001 (one question, asked in one place)
        """At the start. may_pass: the readers see every row, so that the rule in a text is the one that counts."""
        if may_pass and self.has_read_path and self._read_path is None:
            self._read_path = _opened(*self._planned, self.listeners)
        database = cast("Database", self)
        if self.has_read_path and self._at_once is None and database.dialect_name == "postgresql":
            from freehold.store.at_once_postgresql import open_way  # noqa: PLC0415 (the driver is an extra)

            if not database.is_behind_wall:
                self._at_once = open_way(database.engine, self._planned[1], self.listeners)

    async def close_read_path(self) -> None:
        """Give its connections back."""
        if self._at_once is not None:
            await self._at_once.close()
            self._at_once = None
        if self._read_path is not None:
            await self._read_path.close()
            self._read_path = None


def _opened(engine: AsyncEngine, patience: Patience, listeners: Listeners) -> ReadPath | None:
    """The path over an engine; None where its driver or the size of its pool allows none."""
    if engine.dialect.name == "sqlite":
        return SqliteReads(Path(engine.url.database or ""), listeners)
    from freehold.store.read_path_postgresql import open_reads  # noqa: PLC0415 (the driver is an extra)

    return open_reads(engine, patience, listeners)

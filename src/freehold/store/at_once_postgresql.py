"""Units of one statement on connections of asyncpg; imported where PostgreSQL is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.errors import OutcomeUnknown
from freehold.store.faults import RETRYABLE
from freehold.store.lanes import Lane, Lanes
from freehold.store.point_reads import PointReads, is_lost
from freehold.store.postgresql import Patience
from freehold.store.prepared import Prepared
from freehold.store.read_path import Listeners
from freehold.store.together import Together
from freehold.store.touched import Watchers
from freehold.store.ways import NotAtOnce, NotTaken

KEPT: Final = 2
"""Connections that stay here while nobody writes: units of several statements need the others."""


def open_way(engine: AsyncEngine, patience: Patience, listeners: Listeners) -> PostgresWay | None:
    """The way over an engine's pool, of which it takes less than half; None where there is none to take from.

    A transaction pooler between prepares nothing for a statement that stands by itself. Nor does such a statement begin as the
    engine has its transactions begin, or is its connection lent by the pool each time.
    """
    size = getattr(engine.sync_engine.pool, "size", None)
    most = 0 if size is None else (size() - 1) // 2
    if engine.driver != "asyncpg" or patience.pooled or most < 1 or _is_particular(engine.sync_engine):
        return None
    lanes = Lanes(engine, most=most, kept=min(KEPT, most), statement_seconds=patience.statement_seconds)
    return PostgresWay(lanes, listeners)


def _is_particular(engine: Any) -> bool:
    """Whether an engine isolates its transactions more than a statement is by itself, or something is done at each loan."""
    level = engine.get_execution_options().get("isolation_level") or engine.dialect._on_connect_isolation_level  # noqa: SLF001 (kept nowhere else)
    lent = engine.pool.dispatch
    return level not in (None, "READ COMMITTED") or bool(lent.checkout or lent.checkin or lent.reset)


class PostgresWay:
    """See `Way`."""

    def __init__(self, lanes: Lanes, listeners: Listeners) -> None:
        self.lanes = lanes
        self._listeners = listeners
        self._together: dict[Prepared, Together] = {}
        self._looks: dict[Prepared, PointReads] = {}

    async def turn(self) -> PostgresTurn:
        """See `Way`."""
        try:
            lane = await self.lanes.lane()
        except Exception as error:
            raise NotAtOnce from error  # whoever asks in SQLAlchemy's way is told why
        return PostgresTurn(self.lanes, lane)

    def tell(self, sql: str) -> None:
        """See `Way`."""
        for each in self._listeners:
            each(sql)

    async def look(self, prepared: Prepared, values: list[Any], key: str) -> Sequence[Any]:
        """See `Way`. Those that meet share a statement, where its text can be read."""
        shared = self._looks.get(prepared)
        if shared is None:
            shared = self._looks[prepared] = PointReads(self.lanes, prepared, key)
        try:
            if shared.can_share:
                return await shared.read(values)
            rows, kinds = await self.lanes.fetch(prepared.sql, values)
        except Exception as error:
            if (
                not isinstance(error, asyncpg.PostgresError)
                or getattr(error, "sqlstate", None) in RETRYABLE
                or is_lost(error)
            ):
                raise NotAtOnce from error
            raise NotTaken from error
        prepared.describe(kinds)
        return rows

    def together(self, prepared: Prepared, watchers: Watchers) -> Together | None:
        """See `Way`."""
        found = self._together.get(prepared)
        if found is None and prepared.many is not None:
            found = self._together[prepared] = Together(self, prepared, prepared.many, watchers)
        return found

    async def close(self) -> None:
        """See `Way`."""
        await self.lanes.close()


class PostgresTurn:
    """See `Turn`."""

    __slots__ = ("_lane", "_lanes")

    def __init__(self, lanes: Lanes, lane: Lane) -> None:
        self._lanes = lanes
        self._lane: Lane | None = lane

    async def run(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        """See `Turn`."""
        assert self._lane is not None, "a turn is for one statement"
        try:
            return await self._lanes.run(self._lane, sql, values)
        except Exception as error:
            if getattr(error, "sqlstate", None) in RETRYABLE:
                raise NotAtOnce from error  # the database chose it as a victim: a unit is tried again, a few times
            if is_lost(error):
                raise OutcomeUnknown("The connection to the database was lost during the commit.") from error
            if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
                raise NotTaken from error
            raise
        finally:
            self._lane = None  # from here on it is somebody else's

    def cut_short(self) -> None:
        """See `Turn`."""
        if self._lane is not None:
            self._lane.cut_short()

    def leave(self) -> None:
        """See `Turn`."""
        if self._lane is not None:
            self._lanes.release(self._lane)
            self._lane = None

"""Planned reads on connections of asyncpg; imported where PostgreSQL is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.lanes import Lanes
from freehold.store.point_reads import PointReads
from freehold.store.postgresql import Patience
from freehold.store.prepared import Prepared, prepare
from freehold.store.questions import Question
from freehold.store.read_path import Listeners, bound_values, kept_for
from freehold.store.shared_lists import SharedLists
from freehold.store.shared_reads import meaning
from freehold.store.touched import note_read

MOST_LANES: Final = 4


def open_reads(engine: AsyncEngine, patience: Patience, listeners: Listeners) -> PostgresReads | None:
    """The path over an engine's pool, of which it takes half at most; None where there is none to take from."""
    size = getattr(engine.sync_engine.pool, "size", None)
    held = 0 if size is None else size()
    most = MOST_LANES if held == 0 else min(MOST_LANES, held // 2)
    if engine.driver != "asyncpg" or most == 0:
        return None
    lanes = Lanes(engine, most=most, is_lent=patience.pooled, statement_seconds=patience.statement_seconds)
    return PostgresReads(lanes, listeners)


class Served(NamedTuple):
    """A plan in the text of a shape. shared: those that it shares statements with; None where each has its own."""

    prepared: Prepared
    shared: PointReads | SharedLists | None


class PostgresReads:
    """See `ReadPath`. Single rows by key (`point_reads`) and lists (`shared_lists`) share statements, anything else has its own."""

    def __init__(self, lanes: Lanes, listeners: Listeners) -> None:
        self.lanes = lanes
        self._listeners = listeners

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`."""
        prepared, shared = kept_for(self, plan, dialect, self._made)
        note_read(prepared.tables)
        values = bound_values(prepared, params, principal)
        self._tell(prepared)
        try:
            if shared is not None:
                return shared.rows(await shared.read(values))
            rows, oids = await self.lanes.fetch(prepared.sql, values)
        except Exception as error:
            meant = meaning(error)
            if meant is error:
                raise
            raise meant from error
        prepared.describe(oids)
        return prepared.rows(rows)

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """See `ReadPath`."""
        prepared, shared = kept_for(self, plan, dialect, self._made)
        if shared is None:
            return None
        values = bound_values(prepared, params, principal)
        self._tell(prepared)
        return shared, values

    def _made(self, plan: Plan, dialect: Dialect) -> Served | None:
        prepared = prepare(plan, dialect)
        if prepared is None:
            return None
        points = None if plan.key is None else PointReads(self.lanes, prepared, plan.key)
        if points is not None and points.can_share:
            return Served(prepared, points)
        return Served(prepared, None if plan.limit is None else SharedLists(self.lanes, prepared, plan.limit))

    def _tell(self, prepared: Prepared) -> None:
        for each in self._listeners:
            each(prepared.sql)

    async def close(self) -> None:
        """See `ReadPath`."""
        await self.lanes.close()

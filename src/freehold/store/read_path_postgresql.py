"""Planned reads on connections of asyncpg; imported where PostgreSQL is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import Row
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.errors import DeadlineExceeded
from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.lanes import Lanes
from freehold.store.point_reads import PointReads
from freehold.store.postgresql import Patience
from freehold.store.prepared import Prepared
from freehold.store.read_path import Answer, Listeners, Question, Unserved, bound_values, prepared_for
from freehold.store.shared_lists import SharedLists

MOST_LANES: Final = 4
# OSError: could not connect. ValueError: a value that the driver refuses.
_UNSERVED: Final = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError, SQLAlchemyError,
)  # fmt: skip


def open_reads(engine: AsyncEngine, patience: Patience, listeners: Listeners) -> PostgresReads | None:
    """The path over an engine's pool, of which it takes half at most; None where there is none to take from."""
    size = getattr(engine.sync_engine.pool, "size", None)
    held = 0 if size is None else size()
    most = MOST_LANES if held == 0 else min(MOST_LANES, held // 2)
    if engine.driver != "asyncpg" or most == 0:
        return None
    lanes = Lanes(engine, most=most, is_lent=patience.pooled, statement_seconds=patience.statement_seconds)
    return PostgresReads(lanes, listeners)


class SharedQuestion:
    """See `Question`."""

    __slots__ = ("_listeners", "_prepared", "_shared", "_values")

    def __init__(
        self, shared: PointReads | SharedLists, prepared: Prepared, values: list[Any], listeners: Listeners
    ) -> None:
        self._shared = shared
        self._prepared = prepared
        self._values = values
        self._listeners = listeners

    def ask(self, answer: Answer) -> None:
        """See `Question`."""
        for each in self._listeners:
            each(self._prepared.sql)
        self._shared.ask(self._values, answer)

    def leave(self, answer: Answer) -> None:
        """See `Question`."""
        self._shared.leave(answer)

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Row[Any]]:
        """See `Question`."""
        return self._prepared.rows(found)

    def fault(self, error: Exception) -> Exception | None:
        """See `Question`."""
        found = _fault(error)
        return None if isinstance(found, Unserved) else found


class PostgresReads:
    """See `ReadPath`. Single rows by key (`point_reads`) and lists (`shared_lists`) share statements, anything else has its own."""

    def __init__(self, lanes: Lanes, listeners: Listeners) -> None:
        self.lanes = lanes
        self._listeners = listeners
        self._points: dict[Prepared, PointReads | None] = {}

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`."""
        prepared = prepared_for(self, plan, dialect)
        values = bound_values(prepared, params, principal)
        for each in self._listeners:
            each(prepared.sql)
        try:
            shared = self._shared_of(plan, prepared)
            if shared is not None:
                return prepared.rows(await shared.read(values))
            rows, oids = await self.lanes.fetch(prepared.sql, values)
        except Exception as error:
            fault = _fault(error)
            if fault is error:
                raise
            raise fault from error
        prepared.describe(oids)
        return prepared.rows(rows)

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """See `ReadPath`."""
        prepared = prepared_for(self, plan, dialect)
        shared = self._shared_of(plan, prepared)
        if shared is None:
            return None
        return SharedQuestion(shared, prepared, bound_values(prepared, params, principal), self._listeners)

    def _shared_of(self, plan: Plan, prepared: Prepared) -> PointReads | SharedLists | None:
        """Those that the plan shares statements with; None for one that has its own."""
        points = self._points_of(plan, prepared)
        if points is not None or plan.limit is None:
            return points
        return self._lists_of(plan, plan.limit, prepared)

    def _points_of(self, plan: Plan, prepared: Prepared) -> PointReads | None:
        if plan.key is None:
            return None
        if prepared not in self._points:
            made = PointReads(self.lanes, prepared, plan.key)
            self._points[prepared] = made if made.can_share else None
        return self._points[prepared]

    def _lists_of(self, plan: Plan, limit: str, prepared: Prepared) -> SharedLists:
        # With the plan, of which clients can make up any number: it is forgotten with it.
        found: SharedLists | None = plan.kept.get((self, prepared))
        if found is None:
            found = plan.kept[self, prepared] = SharedLists(self.lanes, prepared, limit)
        return found

    async def close(self) -> None:
        """See `ReadPath`."""
        await self.lanes.close()


def _fault(error: Exception) -> Exception:
    """What an error of a statement means to its reader."""
    if isinstance(error, asyncpg.QueryCanceledError):  # the server's time limit: to ask again would take as long again
        return DeadlineExceeded(retry_after=1)
    return Unserved() if isinstance(error, _UNSERVED) else error

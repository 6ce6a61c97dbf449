"""The seam between a plan and the database: a plan and its values in, rows out.

The executors here go through SQLAlchemy's connection. `Reading` takes the same plans to the bare driver (`read_path`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import CompoundSelect, Result, Row, Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from freehold.store.straight import NotStraight, Straight

Statement = Select[Any] | CompoundSelect[Any] | ReturningInsert[Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement whose only variable parts are its named binds.

    shape: equal for plans with the same text, within one resource and one rule shape; None for one that is built for
    a single request. is_orm: gives objects, and needs a session. key: the bind that names the one row that it reads.
    limit: the bind that says how many rows it gives at most. written: so many of its columns, from the first, are there to be written as JSON. kept: what a read path has made of it.
    """

    statement: Statement
    shape: Hashable | None
    is_orm: bool = False
    key: str | None = None
    written: int = 0
    limit: str | None = None
    kept: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)


class Executor(Protocol):
    """Runs plans in one scope and, for a write, in one transaction."""

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of a plan. params: a value for each of its named binds."""
        ...


class SessionExecutor:
    """Through the session's own connection, with its scope; objects through the session itself."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @property
    def dialect_name(self) -> str:
        """Of the session's connection."""
        return self._session.get_bind().dialect.name

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Run a plan. What the session has not sent yet is flushed first, so that a list shows it."""
        session: Any = self._session
        if plan.is_orm:
            return _rows(await session.execute(plan.statement, params))
        if session.new or session.dirty or session.deleted:
            await session.flush()
        if getattr(session, "goes_straight", False):
            try:
                return await Straight.of_session(session).fetch(plan, params)
            except NotStraight:
                pass
        return _rows(await (await session.connection()).execute(plan.statement, params))


class ConnectionExecutor:
    """Through a bare connection: for plans that give columns."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def dialect_name(self) -> str:
        """Of the connection."""
        return self._connection.dialect.name

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Run a plan. Raises TypeError for one that gives objects."""
        if plan.is_orm:
            raise TypeError("this plan gives objects: run it through a session")
        return _rows(await self._connection.execute(plan.statement, params))


def _rows(result: Result[Any]) -> Sequence[Row[Any]]:
    return result.all()

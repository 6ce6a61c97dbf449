"""Statements of the library's own on the driver, inside the transaction of a unit.

SQLAlchemy's connection still opens, ends and gives back the transaction; what stands here saves its way to a statement whose
text, values and rules are known beforehand (`prepared`). The caller is told to the database as for any other statement, and
whoever listens for statements hears of it. What it cannot do it leaves to a session, in a unit of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row
from sqlalchemy.util import greenlet_spawn

from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.prepared import Prepared, prepare
from freehold.store.scope import Scope

if TYPE_CHECKING:
    from freehold.store.unit import Unit

_NOT_YET: Final = object()


class NotStraight(Exception):
    """This has to go through a session, in a unit of its own: this one is rolled back."""


class Straight:
    """Runs prepared statements for the caller of a unit. An `Executor` of plans, too.

    Raises NotStraight for what it cannot run, and for every error of the driver: a session meets it again, and knows its name.
    """

    def __init__(self, unit: Unit) -> None:
        self.principal: Principal = unit.principal
        self.dialect, shape = unit.scopes.dialect(unit.principal, None)
        self.scope = Scope(unit.principal, shape)
        self._connection: Any = unit.connection.sync_connection
        self._written = unit.written

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        name: str = self.dialect.name
        return name

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of a plan, of what this transaction sees."""
        place = Straight, self.dialect
        prepared = plan.kept.get(place, _NOT_YET)
        if prepared is _NOT_YET:
            prepared = plan.kept[place] = prepare(plan, self.dialect)
        if prepared is None:
            raise NotStraight
        found: Prepared = prepared
        return found.rows(await self.run([(found, params)]))

    async def run(self, statements: Sequence[tuple[Prepared, Mapping[str, Any]]]) -> Sequence[Any]:
        """Run statements one after the other; the rows of the last one."""
        try:
            bound = [(each, each.bind(params, self.principal)) for each, params in statements]
            pooled = self._connection.connection
            if self.dialect_name == "sqlite":
                return await self._on_sqlite(pooled, pooled.driver_connection, bound)
            return await self._on_postgresql(pooled, pooled.dbapi_connection, bound)
        except Exception as error:
            raise NotStraight from error

    async def _on_postgresql(self, pooled: Any, adapted: Any, bound: Sequence[Any]) -> Sequence[Any]:
        rows: Sequence[Any] = ()
        for prepared, values in bound:
            await self._tell(pooled, prepared)
            self._say("before_cursor_execute", prepared, values)
            async with adapted._execute_mutex:  # noqa: SLF001 (here and below: as the adapter's own cursor does)
                if adapted._transaction is None:  # noqa: SLF001
                    await adapted._start_transaction()  # noqa: SLF001
                statement, columns = await adapted._prepare(prepared.sql, 0)  # noqa: SLF001
                rows = await statement.fetch(*values)
            prepared.describe([each.type.oid for each in columns or ()])
            self._say("after_cursor_execute", prepared, values)
        return rows

    async def _on_sqlite(self, pooled: Any, raw: Any, bound: Sequence[Any]) -> Sequence[Any]:
        """In one trip to the driver's thread."""
        for prepared, values in bound:
            await self._tell(pooled, prepared)
            self._say("before_cursor_execute", prepared, values)
            prepared.describe([None] * prepared.width)
        rows: Sequence[Any] = await raw.run(_run_all, raw.driver, [(each.sql, values) for each, values in bound])
        for prepared, values in bound:
            self._say("after_cursor_execute", prepared, values)
        return rows

    async def _tell(self, pooled: Any, prepared: Prepared) -> None:
        teller = self.dialect.fh_teller  # type: ignore[attr-defined]
        if teller is not None:
            await greenlet_spawn(teller.tell, pooled, self.scope.told(prepared.bare, prepared.locks))
        self._written.update(prepared.writes)

    def _say(self, event: str, prepared: Prepared, values: Sequence[Any]) -> None:
        """Tell those who listen for SQLAlchemy's statements."""
        connection = self._connection
        if connection._has_events or connection.engine._has_events:  # noqa: SLF001 (as it asks itself)
            for each in getattr(connection.dispatch, event):
                each(connection, None, prepared.sql, values, None, False)


def _run_all(driver: sqlite3.Connection, statements: Sequence[tuple[str, Sequence[Any]]]) -> Sequence[Any]:
    rows: Sequence[Any] = ()
    for sql, values in statements:
        cursor = driver.execute(sql, values)
        rows = cursor.fetchall()
        cursor.close()
    return rows

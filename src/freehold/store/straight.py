"""Statements of the library's own on the driver, inside the transaction of a unit.

SQLAlchemy's connection still opens, ends and gives back the transaction; what stands here saves its way to a statement whose
text, values and rules are known beforehand (`prepared`). The caller is told to the database as for any other statement, and
whoever listens for statements hears of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from sqlalchemy import Row
from sqlalchemy.util import greenlet_spawn

from freehold.resource.principal import Principal
from freehold.store.prepared import Prepared, prepare
from freehold.store.scope import Scope

if TYPE_CHECKING:
    from freehold.store.executor import Plan
    from freehold.store.session import Session
    from freehold.store.unit import Unit

_NOT_YET: Final = object()


class NotStraight(Exception):
    """This has to go through a session: a creation begins again with one, in a unit of its own."""


class Straight:
    """Runs prepared statements for one caller inside a transaction. An `Executor` of plans, too.

    Raises SQLAlchemy's errors, as its connection would.
    """

    def __init__(self, connection: Any, dialect: Any, scope: Scope, written: set[str]) -> None:
        self.scope = scope
        self.dialect = dialect
        self._connection = connection
        self._written = written

    @classmethod
    def of_unit(cls, unit: Unit) -> Straight:
        """For the caller of a unit, without a grant."""
        dialect, shape = unit.scopes.dialect(unit.principal, None)
        return cls(unit.connection.sync_connection, dialect, Scope(unit.principal, shape), unit.written)

    @classmethod
    def of_session(cls, session: Session) -> Straight:
        """For the caller of a session, which has sent what it has to send."""
        connection: Any = session.fh_connection.sync_connection
        return cls(connection, connection.dialect, session.scope, session.scope.written)

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return self.scope.principal

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        name: str = self.dialect.name
        return name

    async def fetch(self, plan: Plan, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """All rows of a plan, of what this transaction sees. Raises NotStraight for one that is a session's."""
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
        bound = [(each, each.bind(params, self.principal)) for each, params in statements]
        pooled = self._connection.connection
        if self.dialect_name == "sqlite":
            return await self._on_sqlite(pooled, pooled.driver_connection, bound)
        rows: Sequence[Any] = ()
        for prepared, values in bound:
            rows = await self._on_postgresql(pooled, pooled.dbapi_connection, prepared, values)
        return rows

    async def _on_postgresql(
        self, pooled: Any, adapted: Any, prepared: Prepared, values: Sequence[Any]
    ) -> Sequence[Any]:
        await self._tell(pooled, prepared)
        self._say("before_cursor_execute", prepared, values)
        try:
            async with adapted._execute_mutex:  # noqa: SLF001 (here and below: as the adapter's own cursor does)
                if adapted._transaction is None:  # noqa: SLF001
                    await adapted._start_transaction()  # noqa: SLF001
                known_since = self.dialect._invalidate_schema_cache_asof  # noqa: SLF001
                statement, columns = await adapted._prepare(prepared.sql, known_since)  # noqa: SLF001
                rows: Sequence[Any] = await statement.fetch(*values)
        except Exception as error:  # noqa: BLE001 (the adapter knows them all)
            await greenlet_spawn(self._refuse, adapted, error, prepared.sql)
        prepared.describe([each.type.oid for each in columns or ()])
        self._say("after_cursor_execute", prepared, values)
        return rows

    async def _on_sqlite(self, pooled: Any, raw: Any, bound: Sequence[Any]) -> Sequence[Any]:
        """In one trip to the driver's thread."""
        for prepared, values in bound:
            await self._tell(pooled, prepared)
            self._say("before_cursor_execute", prepared, values)
            prepared.describe([None] * prepared.width)
        try:
            rows: Sequence[Any] = await raw.run(_run_all, raw.driver, [(each.sql, values) for each, values in bound])
        except Exception as error:  # noqa: BLE001 (whatever the driver raises)
            await greenlet_spawn(self._refuse, pooled.dbapi_connection, error, bound[-1][0].sql)
        for prepared, values in bound:
            self._say("after_cursor_execute", prepared, values)
        return rows

    def _refuse(self, adapted: Any, error: Exception, sql: str) -> NoReturn:
        """Raise an error of the driver as SQLAlchemy names it, with what it does about a lost connection."""
        try:
            adapted._handle_exception(error)  # noqa: SLF001
        except Exception as named:  # noqa: BLE001 (as its name is in the interface that all drivers have)
            if isinstance(named, getattr(self.dialect.dbapi, "InvalidCachedStatementError", ())):
                self.dialect._invalidate_schema_cache()  # noqa: SLF001 (as its execution context does)
            self._connection._handle_dbapi_exception(named, sql, (), None, None)  # noqa: SLF001
        raise error

    async def _tell(self, pooled: Any, prepared: Prepared) -> None:
        teller = self.dialect.fh_teller
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

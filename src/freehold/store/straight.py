"""Statements of the library's own on the driver, inside the transaction of a unit.

SQLAlchemy's connection still opens, ends and gives back the transaction; what stands here saves its way to a statement whose
text, values and rules are known beforehand (`prepared`). The caller is told to the database as for any other statement, and
whoever listens for statements hears of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
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


class Sent:
    """One statement on its way. Listeners get it for SQLAlchemy's context of an execution, and keep on it what they like."""

    compiled = None
    executemany = False

    def __init__(self, prepared: Prepared, parameters: Sequence[Any], by: Straight) -> None:
        self.prepared = prepared
        self.statement = prepared.sql
        self.parameters = parameters
        self.dialect, self.root_connection = by.dialect, by.connection
        self.cursor = SimpleNamespace(rowcount=-1, description=None, lastrowid=None)


class Straight:
    """Runs prepared statements for one caller inside a transaction. An `Executor` of plans, too.

    Raises SQLAlchemy's errors, as its connection would.
    """

    def __init__(self, connection: Any, dialect: Any, scope: Scope, written: set[str]) -> None:
        self.scope = scope
        self.dialect = dialect
        self.connection = connection
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
        """Run statements one after the other; the rows of the last one. Raises NotStraight, before any, where they may not."""
        if self._has_events and (self.connection.dispatch.before_execute or self.connection.dispatch.after_execute):
            raise NotStraight  # whoever waits for these gets constructs of SQLAlchemy
        try:
            sent = [Sent(each, each.bind(params, self.principal), self) for each, params in statements]
        except Exception as error:  # a value that is not its type's: SQLAlchemy says it in its own words
            raise NotStraight from error
        pooled = self.connection.connection
        if self.dialect_name == "sqlite":
            return await self._on_sqlite(pooled, pooled.driver_connection, sent)
        rows: Sequence[Any] = ()
        for each in sent:
            rows = await self._on_postgresql(pooled, pooled.dbapi_connection, each)
        return rows

    @property
    def _has_events(self) -> bool:
        return bool(self.connection._has_events or self.connection.engine._has_events)  # noqa: SLF001 (as it asks itself)

    async def _on_postgresql(self, pooled: Any, adapted: Any, sent: Sent) -> Sequence[Any]:
        prepared = sent.prepared
        try:
            await self._tell(pooled, prepared)
            self._say_before(sent)
            async with adapted._execute_mutex:  # noqa: SLF001 (here and below: as the adapter's own cursor does)
                if adapted._transaction is None:  # noqa: SLF001
                    await adapted._start_transaction()  # noqa: SLF001
                known_since = self.dialect._invalidate_schema_cache_asof  # noqa: SLF001
                statement, columns = await adapted._prepare(sent.statement, known_since)  # noqa: SLF001
                rows: Sequence[Any] = await statement.fetch(*sent.parameters)
        except BaseException as error:  # noqa: BLE001 (the adapter knows them all; a cancellation, too, costs the connection)
            await greenlet_spawn(self._refuse, adapted, error, sent.statement)
        prepared.describe([each.type.oid for each in columns or ()])
        self._say_after(sent, rows)
        return rows

    async def _on_sqlite(self, pooled: Any, raw: Any, all_sent: Sequence[Sent]) -> Sequence[Any]:
        """In one trip to the driver's thread."""
        try:
            for sent in all_sent:
                await self._tell(pooled, sent.prepared)
                self._say_before(sent)
                sent.prepared.describe([None] * sent.prepared.width)
            statements = [(each.statement, each.parameters) for each in all_sent]
            rows: Sequence[Any] = await raw.run(_run_all, raw.driver, statements)
        except BaseException as error:  # noqa: BLE001 (whatever the driver raises)
            await greenlet_spawn(self._refuse, pooled.dbapi_connection, error, all_sent[-1].statement)
        for sent in all_sent:
            self._say_after(sent, rows)
        return rows

    def _refuse(self, adapted: Any, error: BaseException, sql: str) -> NoReturn:
        """Raise an error of the driver as SQLAlchemy names it, with what it does about a lost connection.

        Whoever is cancelled leaves a connection that nobody knows the state of, with a transaction that the adapter may
        not know to be open: SQLAlchemy gives such a one up.
        """
        try:
            if isinstance(error, Exception):
                adapted._handle_exception(error)  # noqa: SLF001
            raise error  # noqa: TRY301 (SQLAlchemy looks for the error that is being handled)
        except BaseException as named:  # noqa: BLE001 (as its name is in the interface that all drivers have)
            if isinstance(named, getattr(self.dialect.dbapi, "InvalidCachedStatementError", ())):
                self.dialect._invalidate_schema_cache()  # noqa: SLF001 (as its execution context does)
            self.connection._handle_dbapi_exception(named, sql, (), None, None)  # noqa: SLF001
        raise error

    async def _tell(self, pooled: Any, prepared: Prepared) -> None:
        teller = self.dialect.fh_teller
        if teller is not None:
            await greenlet_spawn(teller.tell, pooled, self.scope.told(prepared.bare, prepared.locks))
        self._written.update(prepared.writes)

    def _say_before(self, sent: Sent) -> None:
        """Tell those who listen for SQLAlchemy's statements; they may write a remark into one."""
        if self._has_events:
            for each in self.connection.dispatch.before_cursor_execute:
                sent.statement, sent.parameters = each(
                    self.connection, sent.cursor, sent.statement, sent.parameters, sent, False
                )

    def _say_after(self, sent: Sent, rows: Sequence[Any]) -> None:
        if self._has_events:
            sent.cursor.rowcount = len(rows)
            for each in self.connection.dispatch.after_cursor_execute:
                each(self.connection, sent.cursor, sent.statement, sent.parameters, sent, False)


def _run_all(driver: sqlite3.Connection, statements: Sequence[tuple[str, Sequence[Any]]]) -> Sequence[Any]:
    rows: Sequence[Any] = ()
    for sql, values in statements:
        cursor = driver.execute(sql, values)
        rows = cursor.fetchall()
        cursor.close()
    return rows

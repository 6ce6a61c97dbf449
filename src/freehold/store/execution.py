"""The execution context that refuses what the compiler could not narrow, and tells the database who acts."""

from __future__ import annotations

import re
from typing import Any

from freehold.resource.principal import ANONYMOUS
from freehold.store.caller import Teller
from freehold.store.guard import Guard
from freehold.store.scope import (
    CALLER,
    JUDGED,
    SCOPE_OPTION,
    ReadOnlySession,
    Scope,
    TransactionControl,
    UnscopedStatement,
)
from freehold.store.touched import EVERYTHING, note_read, written_by_text

_ONE_COMMIT = "the unit of work commits once, at its end: use flush(), raise to roll back, begin_nested() for a part"
UNDOES = re.compile(r"\s*rollback\b", re.IGNORECASE)
# Savepoints are the session's own business: `begin_nested()` sends them.
CONTROL = re.compile(
    r"\s*(?:commit|end|abort|begin|start\s+transaction|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b", re.IGNORECASE
)


class ScopedContext:
    """Mixed into a dialect's execution context: nothing runs that the compiler could not narrow."""

    @classmethod
    def _init_compiled(
        cls,
        dialect: Any,
        connection: Any,
        dbapi_connection: Any,
        execution_options: Any,
        compiled: Any,
        *args: Any,
        **kw: Any,
    ) -> Any:
        scope: Scope | None = connection._execution_options.get(SCOPE_OPTION)
        if not hasattr(compiled, "fh_touched"):
            _adopt(compiled, connection.dialect.fh_guard)
        if compiled.fh_touched:
            _judge(scope, compiled, connection.dialect.fh_guard)
        if scope is not None and compiled.fh_control:
            raise TransactionControl(_ONE_COMMIT)
        if scope is not None and scope.read_only and (compiled.isinsert or compiled.isupdate or compiled.isdelete):
            raise ReadOnlySession("this session only reads: write in a POST, PUT, PATCH or DELETE, or in a job")
        note_read(compiled.fh_reads)
        if scope is not None and compiled.fh_writes:
            scope.written.update(compiled.fh_writes)
        if connection.dialect.fh_teller is not None:
            _tell(connection.dialect.fh_teller, dbapi_connection, scope, compiled, execution_options)
        token = CALLER.set(scope.principal if scope is not None else ANONYMOUS)
        try:
            return super()._init_compiled(  # type: ignore[misc]
                dialect, connection, dbapi_connection, execution_options, compiled, *args, **kw
            )
        finally:
            CALLER.reset(token)

    @classmethod
    def _init_statement(
        cls, dialect: Any, connection: Any, dbapi_connection: Any, execution_options: Any, statement: str, *args: Any
    ) -> Any:
        scope: Scope | None = connection._execution_options.get(SCOPE_OPTION)
        guard: Guard = connection.dialect.fh_guard
        if scope is not None and CONTROL.match(statement):
            raise TransactionControl(_ONE_COMMIT)
        if (scope is None or not scope.principal.is_system) and guard.mentions(statement):
            raise UnscopedStatement(
                "driver SQL on a protected table: no rule can be written into it. Use a SQLAlchemy statement, or "
                'session.unscoped("reason")'
            )
        note_read((EVERYTHING,))
        if scope is not None:
            scope.written.update(written_by_text(statement))
        if connection.dialect.fh_teller is not None:
            _tell(connection.dialect.fh_teller, dbapi_connection, scope, _Opaque(statement), execution_options)
        return super()._init_statement(  # type: ignore[misc]
            dialect, connection, dbapi_connection, execution_options, statement, *args
        )


class _Opaque:
    """Driver SQL, as far as the database's wall is concerned."""

    fh_is_own = False
    fh_bare = fh_locks = frozenset[str]()

    def __init__(self, statement: str) -> None:
        self.fh_undoes = UNDOES.match(statement) is not None


def _tell(teller: Teller, connection: Any, scope: Scope | None, compiled: Any, options: Any) -> None:
    if compiled.fh_undoes:
        teller.forget(connection)
        return
    locks = frozenset() if options.get(JUDGED) else frozenset(compiled.fh_locks)
    told = None if scope is None else scope.told(frozenset(compiled.fh_bare), locks)
    teller.tell(connection, told, at_once=not compiled.fh_is_own)


def _adopt(compiled: Any, guard: Guard) -> None:
    """A statement that was compiled before the dialect learnt to write rules: nothing in it was rendered here."""
    compiled.fh_touched = compiled.fh_opaque = guard.mentions(str(compiled)) > 0
    compiled.fh_inserts = compiled.fh_moves = compiled.fh_control = False
    compiled.fh_is_own = compiled.fh_undoes = False
    compiled.fh_bare = compiled.fh_locks = frozenset()
    compiled.fh_reads = {EVERYTHING}
    compiled.fh_writes = {EVERYTHING} if compiled.isinsert or compiled.isupdate or compiled.isdelete else set()


def _judge(scope: Scope | None, compiled: Any, guard: Guard) -> None:
    if scope is None or guard.shape is None:
        raise UnscopedStatement(
            "a statement on a protected table without a scope. Use the session of the request or job, or "
            f'database.writing(system("reason")).\n{compiled}'
        )
    if scope.principal.is_system:
        return
    if compiled.fh_opaque:
        raise UnscopedStatement(
            "textual SQL names a protected table: no rule can be written into it. Build the statement from the model, "
            f'or use session.unscoped("reason").\n{compiled}'
        )
    if compiled.fh_inserts and not scope.flushing:
        raise UnscopedStatement(
            "INSERT into a protected table outside a flush: the new rows would not be judged. Add objects to the "
            f'session, or use session.unscoped("reason").\n{compiled}'
        )
    if compiled.fh_moves and not scope.flushing:
        raise UnscopedStatement(
            "UPDATE of a column that decides whose row it is (or that others are derived from) outside a flush. Change "
            f'the object in the session, or use session.unscoped("reason").\n{compiled}'
        )

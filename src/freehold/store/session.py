"""The session of a unit: SQLAlchemy's own, with one scope for life.

Inner code may flush; only the unit commits. New and moved rows are judged at every flush.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import ORMExecuteState, SessionTransaction
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.orm.exc import StaleDataError

from freehold.resource import clock
from freehold.resource.principal import Principal, system
from freehold.store.branch import CommitRefused, branch
from freehold.store.compiler import Scopes
from freehold.store.invariant_flush import before_flush, tried_in
from freehold.store.judgement import Judge, Stale
from freehold.store.protection import Grant
from freehold.store.row_versions import counted
from freehold.store.scope import Scope
from freehold.store.soft_deletion import Mark, SoftDeletions

if TYPE_CHECKING:
    from freehold.store.trail import Trail
    from freehold.store.unit import Unit

T = TypeVar("T")


class ScopedSession(SyncSession):
    """The synchronous session underneath. It knows its scope and marks what a flush sends."""

    fh_scope: Scope
    fh_scopes: Scopes
    fh_trail: Trail | None = None

    def flush(self, objects: Any = None) -> None:
        """Flush, with new and moved rows judged before and after."""
        if self._flushing or self._is_clean():
            super().flush(objects)
            return
        with self.no_autoflush:
            before_flush(self)
        judge = None if self.fh_scope.principal.is_system else Judge(self)
        if judge is not None:
            judge.before()
        self.fh_scope.flushing = True
        try:
            super().flush(objects)
        except StaleDataError as error:
            # A narrowed UPDATE matched no row: by the rule, or because somebody was faster.
            raise (Stale() if judge is None else judge.unmatched()) from error
        finally:
            self.fh_scope.flushing = False
        if judge is not None:
            judge.after()


@event.listens_for(ScopedSession, "after_flush")
def _note_changes(session: ScopedSession, _: object) -> None:
    if session.fh_trail is not None:
        session.fh_trail.note_flush(session, session.fh_scope.principal.reason)


@event.listens_for(ScopedSession, "after_transaction_create")
def _mark_part(session: ScopedSession, transaction: SessionTransaction) -> None:
    if session.fh_trail is not None:
        session.fh_trail.mark(transaction)


@event.listens_for(ScopedSession, "after_soft_rollback")
def _forget_part(session: ScopedSession, transaction: SessionTransaction) -> None:
    if session.fh_trail is not None:
        session.fh_trail.roll_back(transaction)


@event.listens_for(ScopedSession, "do_orm_execute")
def _as_a_flush_would(state: ORMExecuteState) -> None:
    """Count the row version, which tells those who read a row before; and look which rows were matched.

    Evaluated synchronisation would change objects in memory though the rule matched no row.
    """
    if state.is_update:
        state.statement = counted(state.statement, state.bind_mapper)
    if (state.is_update or state.is_delete) and state.execution_options.get("synchronize_session", "auto") == "auto":
        state.update_execution_options(synchronize_session="fetch")


class Session(AsyncSession):
    """An asynchronous session inside a unit of work, scoped to one principal for life.

    `commit()` and `rollback()` raise: the unit does that, once. Use `flush()`, and `begin_nested()` for a part that
    may fail. `principal` is the caller; `unit` the unit of work (None in a read).
    """

    sync_session_class = ScopedSession
    join_mode: ClassVar[Literal["rollback_only", "create_savepoint"]] = "rollback_only"

    def __init__(self, connection: AsyncConnection, *, scope: Scope, scopes: Scopes, unit: Unit | None) -> None:
        super().__init__(
            bind=connection, expire_on_commit=False, join_transaction_mode=self.join_mode, close_resets_only=False
        )
        inner = cast(ScopedSession, self.sync_session)
        inner.fh_scope = scope
        inner.fh_scopes = scopes
        inner.fh_trail = None if unit is None else unit.trail
        self.fh_connection = connection
        self.unit = unit
        self.parts: Mapping[type[Any], Any] = {} if unit is None else unit.parts

    @property
    def scope(self) -> Scope:
        """The scope, for life."""
        return cast(ScopedSession, self.sync_session).fh_scope

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return self.scope.principal

    @property
    def goes_straight(self) -> bool:
        """Whether prepared statements may pass by SQLAlchemy's connection (`straight`): in a unit, and no savepoint is due."""
        return self.unit is not None and self.join_mode == "rollback_only" and not self.in_nested_transaction()

    @property
    def is_behind_wall(self) -> bool:
        """Does row-level security narrow what this session asks, beside the compiler?"""
        dialect: Any = self.fh_connection.dialect
        return dialect.name == "postgresql" and dialect.fh_teller is not None

    def part(self, kind: type[T]) -> T:
        """A part of the application, by its type (`Database.parts`). Raises LookupError where it has none."""
        found = self.parts.get(kind)
        if found is None:
            raise LookupError(f"no {kind.__name__} here: it belongs to a session of an application that has one")
        part: T = found
        return part

    async def commit(self) -> None:
        """Refused: the unit commits, before the answer. Raises CommitRefused."""
        raise CommitRefused("the unit of work commits once, at its end: use flush()")

    async def rollback(self) -> None:
        """Refused: raise, and the unit rolls back; `begin_nested()` is for a part that may fail."""
        raise CommitRefused("the unit of work rolls back when the request fails: raise, or use begin_nested()")

    @asynccontextmanager
    async def unscoped(self, reason: str) -> AsyncIterator[Session]:
        """Another session on the same transaction, without row rules. Flushed at its end, committed with the unit.

        reason: why the caller's rules do not apply; kept in the audit trail of what happens inside. Objects of the
        two sessions do not mix: hand ids across. Pending changes of this session are flushed first.
        """
        await self.flush()
        other = bind_session(
            self.fh_connection,
            cast(ScopedSession, self.sync_session).fh_scopes,
            system(reason),
            unit=self.unit,
            grant=None,
        )
        other.parts = self.parts
        try:
            yield other
            await other.flush()
        except DBAPIError as error:
            # What was tried is known to that session alone, and explains the refusal to the caller of this one.
            error.fh_tried = getattr(error, "fh_tried", None) or tried_in(other.sync_session)  # type: ignore[attr-defined]
            raise
        finally:
            other.expunge_all()


class AdoptedSession(Session):
    """The session of an application that was there first: its code commits and rolls back, and means a savepoint.

    `commit()` keeps what was done so far for the unit to commit; `rollback()` goes back to the last `commit()`. `delete()`
    marks a row whose model is deleted softly; in system scope it removes it, as a DELETE statement does in any.
    """

    join_mode = "create_savepoint"

    async def commit(self) -> None:
        """Keep what was done so far; the unit commits it before the answer."""
        await AsyncSession.commit(self)

    async def rollback(self) -> None:
        """Go back to the last `commit()`, or to the start."""
        await AsyncSession.rollback(self)

    async def delete(self, instance: object) -> None:
        """Delete a row at the next flush, softly where its model says so."""
        marks = {} if self.unit is None or self.principal.is_system else self.unit.parts.get(SoftDeletions, {})
        mark: Mark | None = marks.get(type(instance))
        if mark is None:
            await AsyncSession.delete(self, instance)
        elif self.unit is not None and getattr(instance, mark.attribute) is None:
            setattr(instance, mark.attribute, clock.now())
            self.unit.trail.did(mark.subject, getattr(instance, mark.key), "deleted")


def bind_session(
    connection: AsyncConnection,
    scopes: Scopes,
    principal: Principal,
    *,
    unit: Unit | None,
    grant: Grant | None,
    kind: type[Session] = Session,
) -> Session:
    """A session for `principal` on an open connection; several may share one transaction, each with its own scope."""
    scoped, scope = branch(connection, scopes, principal, grant)
    if unit is not None:
        scope.written = unit.written
    return kind(scoped, scope=scope, scopes=scopes, unit=unit)

"""The unit of work: one transaction for what a request or job changes, owes, answers and records."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from freehold.errors import OutcomeUnknown
from freehold.resource.principal import Principal
from freehold.store.compiler import Scopes
from freehold.store.invariant_flush import tried_in
from freehold.store.protection import Grant
from freehold.store.session import Session, bind_session
from freehold.store.touched import Change, Watchers
from freehold.store.trail import Trail, Trails

logger = structlog.get_logger("freehold.store")


class Unit:
    """An open transaction and the scoped session on it. Commits on a clean exit, never before and never twice (`is_committed`).

    request_id: what the audit trail and the logs call this piece of work. parts: see `Database.parts`. written: the
    tables that it has changed; add a name of your own to have answers dropped that were declared to depend on it.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        transaction: AsyncTransaction,
        scopes: Scopes,
        principal: Principal,
        *,
        grant: Grant | None = None,
        request_id: str | None = None,
        parts: dict[type[Any], Any] | None = None,
        session_class: type[Session] = Session,
    ) -> None:
        self.parts = {} if parts is None else parts
        self.principal = principal
        self.request_id = request_id
        self.connection = connection
        self.written: set[str] = set()
        self.trail = Trail(self.parts.get(Trails, Trails()))
        self._transaction = transaction
        self._scopes = scopes
        self._callbacks: dict[Callable[[], Awaitable[None] | None], None] = {}
        self._grant = grant
        self._session_class = session_class
        self._session: Session | None = None
        self.is_committed = False

    @property
    def session(self) -> Session:
        """The session of the caller, made when it is first asked for: a unit of prepared statements alone needs none."""
        if self._session is None:
            self._session = bind_session(
                self.connection, self._scopes, self.principal, unit=self, grant=self._grant, kind=self._session_class
            )
        return self._session

    @property
    def scopes(self) -> Scopes:
        """The dialects of this database; for sessions of another scope on the same transaction."""
        return self._scopes

    @asynccontextmanager
    async def part(self, grant: Grant | None) -> AsyncIterator[Session]:
        """Another session of the same caller on the same transaction, for a step under a grant of its own.

        Flushed at its end, committed with the unit. Objects of two sessions do not mix.
        """
        session = bind_session(
            self.connection, self._scopes, self.principal, unit=self, grant=grant, kind=self._session_class
        )
        try:
            yield session
            await session.flush()
        except DBAPIError as error:
            # What was tried is known to that session alone.
            error.fh_tried = getattr(error, "fh_tried", None) or tried_in(session.sync_session)  # type: ignore[attr-defined]
            raise
        finally:
            session.expunge_all()

    async def flush(self) -> None:
        """Send what the session has not sent yet, where there is one."""
        if self._session is not None:
            await self._session.flush()

    def forget_objects(self) -> None:
        """Let go of what the session holds: the unit is over."""
        if self._session is not None:
            self._session.expunge_all()

    def after_commit(self, callback: Callable[[], Awaitable[None] | None]) -> None:
        """Call `callback` once the commit is durable: to wake a worker, never to do work (a crash would lose it).

        However often it is given, it is called once.
        """
        self._callbacks[callback] = None

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[None]:
        """Commit at the end of the block; undo everything where something is raised, by the commit as well."""
        try:
            yield
            await self.commit()
        except BaseException:
            await self.roll_back()
            raise
        finally:
            self.forget_objects()

    async def commit(self) -> None:
        """Flush and commit, shielded: a cancellation waits for the outcome and is raised then.

        Raises OutcomeUnknown when the connection is lost during the commit.
        """
        await self.flush()
        await self.trail.write(self)
        interrupted = await shielded(self._watched_commit())
        self.is_committed = True
        await self._notify()
        if interrupted is not None:
            raise interrupted

    async def _watched_commit(self) -> None:
        """Commit between two words to the watchers; the second is said whatever became of it."""
        watchers: Watchers | None = self.parts.get(Watchers) if self.written else None
        if watchers is None:
            await self._commit()
            return
        change = Change(frozenset(self.written), lambda: self.session)
        try:
            await watchers.will_change(change)
            await self._commit()
        finally:
            await watchers.has_changed(change)

    async def _commit(self) -> None:
        try:
            await self._transaction.commit()
        except (DBAPIError, OSError) as error:
            if not isinstance(error, DBAPIError) or error.connection_invalidated or _connection_lost(error):
                raise OutcomeUnknown("The connection to the database was lost during the commit.") from error
            raise

    async def roll_back(self) -> None:
        """Undo everything, shielded. A connection that is gone has already rolled back."""
        interrupted = await shielded(self._roll_back())
        if interrupted is not None:
            raise interrupted

    async def _roll_back(self) -> None:
        try:
            if self._transaction.is_active:
                await self._transaction.rollback()
        except (DBAPIError, OSError) as error:
            logger.warning("rollback_failed", error=type(error).__name__)

    async def _notify(self) -> None:
        for callback in self._callbacks:
            try:
                result = callback()
                if inspect.isawaitable(result):
                    await result
            except Exception:
                logger.exception("after_commit_failed")


def _connection_lost(error: DBAPIError) -> bool:
    name = type(error.orig).__name__
    text = str(error.orig).lower()
    return "Interface" in name or (
        "connection" in text and any(word in text for word in ("closed", "lost", "terminated"))
    )


async def shielded(work: Coroutine[Any, Any, None]) -> asyncio.CancelledError | None:
    """Run to the end whatever happens to the caller; gives back the cancellation that came meanwhile."""
    task = asyncio.ensure_future(work)
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as cancelled:
            if task.done() and task.cancelled():
                raise
            interrupted = cancelled
        except BaseException:  # noqa: BLE001 (raised again below, by result())
            break
    task.result()
    return interrupted

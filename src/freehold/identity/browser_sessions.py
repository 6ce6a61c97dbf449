"""Log-ins of browsers: a cookie instead of tokens, for pages.

The cookie holds 256 random bits, the database their hash. It is a log-in like any other (`freehold_sessions`): listed and
ended with the rest. Every request looks at the database, so that an old value is dead everywhere the moment that it was
replaced.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from freehold.errors import Problem
from freehold.identity.authentication import Authentication
from freehold.identity.rights import Rights
from freehold.identity.sealing import new_token, token_hash
from freehold.identity.sessions import Device, Sessions
from freehold.identity.tables import BROWSER_SESSIONS, SESSIONS
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.resource.principal import Principal, system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

PREFIX = "fhs_"
LONGEST_VALUE = 128
# The idle end is known to the minute: one write a minute and session, not one a request.
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class BrowserLifetimes:
    """How long a browser stays logged in. idle: without a request. absolute: with any number of them (C02)."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A log-in of a browser. value: for its cookie alone, never for a log or an answer's body."""

    session_id: UUID
    user_id: UUID
    expires_at: datetime
    value: str


class BrowserSessions:
    """The log-ins of browsers of one service."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        *,
        user: type[UserMixin],
        lifetimes: BrowserLifetimes,
        rights: Rights,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._user: Any = user
        self._lifetimes = lifetimes
        self._rights = rights

    async def open(
        self,
        session: Session,
        user: Any,
        *,
        device: Device,
        authentication: Authentication,
        scope: frozenset[str] | None = None,
    ) -> BrowserSession:
        """Write down a new log-in of `user` (a row with `id`), whose value nobody has chosen.

        Does not ask whether a second factor is due: that is `Entry`.
        """
        session_id, end = await self._sessions.begin(
            session,
            user.id,
            scope=scope,
            device=device,
            authentication=authentication,
            lifetime=self._lifetimes.absolute,
        )
        value = new_token(PREFIX)
        await session.execute(
            insert(BROWSER_SESSIONS).values(value_hash=token_hash(value), session_id=session_id, changed_at=clock.now())
        )
        return BrowserSession(session_id, user.id, end, value)

    async def renew(
        self, session: Session, value: str, *, authentication: Authentication | None = None
    ) -> BrowserSession | None:
        """Another value for the same log-in, after a second factor or a change of rights; the old one is dead (C01).

        authentication: how its owner has just proved who they are, where they have. None where the log-in is over, or its value was changed by another request.
        """
        row = await self._row(session, value)
        if row is None or not self._is_good(row):
            return None
        fresh = new_token(PREFIX)
        changed = await session.execute(
            update(BROWSER_SESSIONS)
            .where(BROWSER_SESSIONS.c.value_hash == token_hash(value))
            .values(value_hash=token_hash(fresh), changed_at=clock.now())
            .returning(BROWSER_SESSIONS.c.session_id)
        )
        if changed.first() is None:
            return None
        if authentication is not None:
            proved = update(SESSIONS).where(SESSIONS.c.id == row.id)
            await session.execute(proved.values(authenticated_at=authentication.at, amr=authentication.text))
        return BrowserSession(row.id, row.user_id, row.expires_at, fresh)

    async def find(self, value: str) -> Principal | None:
        """The caller behind a cookie, with the roles of this moment; None where it is no log-in, or not any more.

        Notes the use, at most once a minute, in a unit of its own.
        """
        if not value.startswith(PREFIX) or len(value) > LONGEST_VALUE:
            return None
        async with self._database.reading(system("authenticate")) as session:
            row = await self._row(session, value)
        if row is None or not self._is_good(row):
            return None
        if clock.now() - row.last_used_at >= NOTED_EVERY:
            await self._note(row.id)
        return self._principal(row)

    def _principal(self, row: Row[Any]) -> Principal:
        proof = Authentication.stored(row.authenticated_at or row.created_at, row.amr)
        counts, withheld = self._rights.counting(frozenset(row.roles or ()), proof.amr)
        return Principal(
            id=row.user_id,
            roles=counts,
            scopes=None if row.scope is None else frozenset(row.scope.split()),
            session_id=row.id,
            authenticated_at=proof.at,
            amr=proof.amr,
            withheld=withheld,
        )

    async def end(self, session: Session, value: str) -> bool:
        """Log out the browser with this value. Whether it was logged in."""
        row = await self._row(session, value)
        return row is not None and await self._sessions.end(session, row.id, by="logout")

    async def end_all(self, session: Session, user_id: UUID, *, by: str) -> None:
        """End every log-in of the user's browsers; those with tokens go on."""
        mine = select(BROWSER_SESSIONS.c.session_id).join(SESSIONS, SESSIONS.c.id == BROWSER_SESSIONS.c.session_id)
        mine = mine.where(SESSIONS.c.user_id == user_id)
        await self._sessions.end_those(session, SESSIONS.c.id.in_(mine), by=by)

    async def sweep(self, session: Session) -> None:
        """Forget the values of log-ins that are over."""
        over = select(SESSIONS.c.id).where(SESSIONS.c.ended_at.is_not(None) | (SESSIONS.c.expires_at <= clock.now()))
        await session.execute(delete(BROWSER_SESSIONS).where(BROWSER_SESSIONS.c.session_id.in_(over)))

    async def _row(self, session: Session, value: str) -> Row[Any] | None:
        user, table = self._user.__table__.c, self._user.__table__
        query = (
            select(SESSIONS, user.roles, user.is_active)
            .join(BROWSER_SESSIONS, BROWSER_SESSIONS.c.session_id == SESSIONS.c.id)
            .join(table, user.id == SESSIONS.c.user_id)
            .where(BROWSER_SESSIONS.c.value_hash == token_hash(value))
        )
        return (await session.execute(query)).first()

    def _is_good(self, row: Row[Any]) -> bool:
        now = clock.now()
        is_idle = now - row.last_used_at >= self._lifetimes.idle
        return bool(row.is_active) and row.ended_at is None and row.expires_at > now and not is_idle

    async def _note(self, session_id: UUID) -> None:
        async def work(unit: Unit) -> None:
            used = update(SESSIONS).where(SESSIONS.c.id == session_id)
            await unit.session.execute(used.values(last_used_at=clock.now()))

        # A disk that is full, or a writer that takes long, is no reason to refuse a read.
        with suppress(DBAPIError, Problem):
            await self._database.run(system("note the use of a log-in"), work)

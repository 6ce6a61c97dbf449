"""Log-ins, and the rotation of their refresh tokens.

A log-in is a family of refresh tokens of which one is alive. A dead one that comes back ends the family (RFC 9700
4.14.2), except within the grace window: a client whose answer was lost tries again with the old token and gets the same
answer, sealed under a key derived from that token, so that the database alone cannot give it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from freehold.errors import FieldError, Invalid, Problem, Unauthenticated
from freehold.identity import session_list
from freehold.identity.authentication import Authentication
from freehold.identity.factors import steps
from freehold.identity.following import Follower, end_open
from freehold.identity.notices import Notices, language_of
from freehold.identity.outcomes import outcome_of
from freehold.identity.sealing import Sealer, Unsealable, new_token, token_hash
from freehold.identity.session_values import UNKNOWN, Device, InvalidGrant, Lifetimes, TokenAnswer
from freehold.identity.tables import IMPERSONATIONS, REFRESH_TOKENS, SESSIONS
from freehold.identity.tokens import AccessTokens
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import system
from freehold.store.audit import record
from freehold.traffic.limits import address_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

__all__ = ["UNKNOWN", "Device", "InvalidGrant", "Lifetimes", "Sessions", "TokenAnswer"]

PREFIX = "fhr_"
LONGEST_REFRESH_TOKEN = 128


class Sessions:
    """Log-ins of one service.

    browser_idle: after which a log-in by cookie is over.
    prefix: what its refresh tokens begin with; those of another kind are unknown here.
    on_change: called with a session's id or a user's id when what tokens of theirs may do has changed, after commit.
    """

    prefix: ClassVar[str] = PREFIX

    def __init__(
        self,
        database: Database,
        tokens: AccessTokens,
        notices: Notices,
        *,
        user: type[UserMixin],
        lifetimes: Lifetimes,
        browser_idle: timedelta,
        on_change: Callable[[UUID], None],
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._notices = notices
        self._user: Any = user
        self._lifetimes = lifetimes
        self._browser_idle = browser_idle
        self._on_change = on_change
        self.followers: list[Follower] = []

    async def open(
        self,
        session: Session,
        user: Any,
        *,
        scope: frozenset[str] | None,
        device: Device,
        authentication: Authentication,
    ) -> TokenAnswer:
        """Write down a new log-in of `user` and give its tokens.

        Does not ask whether a second factor is due: that is `Entry`, which whoever logs people in goes through.
        """
        session_id, end = await self.begin(
            session,
            user.id,
            scope=scope,
            device=device,
            authentication=authentication,
            lifetime=self._lifetimes.absolute,
        )
        refresh = await self._add_token(session, session_id, end)
        access, seconds = await self._tokens.issue(
            subject=user.id,
            session_id=session_id,
            roles=user.roles,
            scope=scope,
            not_after=end,
            authentication=authentication,
        )
        return TokenAnswer(access, seconds, refresh, _scope_text(scope))

    async def begin(
        self,
        session: Session,
        user_id: UUID,
        *,
        scope: frozenset[str] | None,
        device: Device,
        authentication: Authentication,
        lifetime: timedelta,
    ) -> tuple[UUID, datetime]:
        """Write down a new log-in, without anything to use it by; its id and its absolute end."""
        session_id, now = new_id(), clock.now()
        end = now + lifetime
        await session.execute(
            insert(SESSIONS).values(
                id=session_id,
                user_id=user_id,
                scope=None if scope is None else " ".join(sorted(scope)),
                created_at=now,
                last_used_at=now,
                expires_at=end,
                address=device.address[:64],
                address_key=address_key(device.address),
                user_agent=device.user_agent[:200],
                authenticated_at=authentication.at,
                amr=authentication.text,
            )
        )
        return session_id, end

    async def refresh(self, token: str, *, scope: frozenset[str] | None = None) -> TokenAnswer:
        """Rotate, in a unit of its own: what a reuse ends must stay ended though the answer is a refusal.

        scope: may only narrow. Raises InvalidGrant.
        """
        if len(token) > LONGEST_REFRESH_TOKEN or not token.startswith(self.prefix):
            raise InvalidGrant("The refresh token is not good any more.")
        return await outcome_of(
            self._database.run(system("refresh a log-in"), lambda unit: self._refresh(unit, token, scope))
        )

    async def _refresh(self, unit: Unit, token: str, scope: frozenset[str] | None) -> TokenAnswer | Problem:
        row = await self._find(unit.session, token)
        refused = InvalidGrant("The refresh token is not good any more.")
        now = clock.now()
        if row is None or row.ended_at is not None or row.session_end <= now:
            return refused
        if row.used_at is not None:
            return await self._again(unit, row, token) or refused
        if row.expires_at <= now:
            return refused
        held = None if row.scope is None else frozenset(row.scope.split())
        if scope is not None and held is not None and not scope <= held:
            return scope_problem("A refresh cannot widen the scope.")
        return await self._rotate(unit.session, row, token, held if scope is None else scope)

    async def _rotate(self, session: Session, row: Row[Any], token: str, scope: frozenset[str] | None) -> TokenAnswer:
        columns, now = REFRESH_TOKENS.c, clock.now()
        successor = await self._add_token(session, row.session_id, row.session_end)
        access, seconds = await self._access_token(session, row, scope)
        answer = TokenAnswer(access, seconds, successor, _scope_text(scope))
        sealed = _answer_sealer(token).seal(json.dumps(asdict(answer)).encode(), context=row.token_hash)
        await session.execute(
            update(REFRESH_TOKENS)
            .where(columns.token_hash == row.token_hash)
            .values(used_at=now, successor_hash=token_hash(successor), sealed_answer=sealed)
        )
        # The client has its answer: the one kept for its retry is not needed any more.
        await session.execute(
            update(REFRESH_TOKENS)
            .where(columns.session_id == row.session_id, columns.successor_hash == row.token_hash)
            .values(sealed_answer=None)
        )
        await session.execute(update(SESSIONS).where(SESSIONS.c.id == row.session_id).values(last_used_at=now))
        return answer

    async def _access_token(self, session: Session, row: Row[Any], scope: frozenset[str] | None) -> tuple[str, int]:
        """The access token of a rotation, and for how many seconds it is good."""
        return await self._tokens.issue(
            subject=row.user_id,
            session_id=row.session_id,
            roles=row.roles,
            scope=scope,
            not_after=row.session_end,
            authentication=Authentication.stored(row.proved_at, row.amr),
        )

    async def _again(self, unit: Unit, row: Row[Any], token: str) -> TokenAnswer | None:
        """A dead token came back: the same answer to a client's own retry, or the end of the family."""
        successor = select(REFRESH_TOKENS.c.used_at).where(REFRESH_TOKENS.c.token_hash == row.successor_hash)
        is_followed = (await unit.session.execute(successor)).scalar_one_or_none() is not None
        if not is_followed and clock.now() - row.used_at <= self._lifetimes.grace and row.sealed_answer is not None:
            try:
                return TokenAnswer(**json.loads(_answer_sealer(token).open(row.sealed_answer, context=row.token_hash)))
            except Unsealable:
                return None
        await self.end(unit.session, row.session_id, by="reuse")
        ended = {"session_id": str(row.session_id)}
        await record(unit.session, "session.reuse_detected", subject_type="user", subject_id=row.user_id, after=ended)
        await self._notices.session_ended(unit.session, row.email, language=language_of(row))
        return None

    async def _find(self, session: Session, token: str) -> Row[Any] | None:
        user = self._user.__table__.c
        query = (
            select(
                REFRESH_TOKENS,
                SESSIONS.c.user_id,
                SESSIONS.c.scope,
                SESSIONS.c.ended_at,
                SESSIONS.c.expires_at.label("session_end"),
                func.coalesce(SESSIONS.c.authenticated_at, SESSIONS.c.created_at).label("proved_at"),
                SESSIONS.c.amr,
                user.roles,
                user.email,
                *(column for column in user if column.key == "language"),
            )
            .join(SESSIONS, SESSIONS.c.id == REFRESH_TOKENS.c.session_id)
            .join(self._user.__table__, user.id == SESSIONS.c.user_id)
            .where(REFRESH_TOKENS.c.token_hash == token_hash(token), user.is_active)
            # Fifty refreshes at once stand in line here; the first rotates and the rest read its answer.
            .with_for_update(of=[REFRESH_TOKENS, SESSIONS])
        )
        return (await session.execute(query)).first()

    async def _add_token(self, session: Session, session_id: UUID, end: Any) -> str:
        token, now = new_token(self.prefix), clock.now()
        await session.execute(
            insert(REFRESH_TOKENS).values(
                token_hash=token_hash(token),
                session_id=session_id,
                created_at=now,
                expires_at=min(now + self._lifetimes.idle, end),
            )
        )
        return token

    async def end(self, session: Session, session_id: UUID, *, by: str) -> bool:
        """End one log-in: its refresh tokens at once, its access tokens within 5 s. Whether it was still open."""
        ended = await self.end_those(session, SESSIONS.c.id == session_id, by=by)
        self.tell(session, session_id)
        return bool(ended)

    async def end_all(self, session: Session, user_id: UUID, *, by: str, keep: UUID | None = None) -> int:
        """End every log-in of a user, save `keep`, and what they do in the accounts of others. How many."""
        await self.end_acting(session, user_id, by=by)
        others = [SESSIONS.c.user_id == user_id, *([] if keep is None else [SESSIONS.c.id != keep])]
        ended = await self.end_those(session, *others, by=by)
        await steps.forget(session, user_id)
        self.tell(session, user_id)
        return len(ended)

    async def end_acting(self, session: Session, user_id: UUID, *, by: str) -> None:
        """End what a user does in the accounts of others, and what staff do in theirs."""
        acting = select(IMPERSONATIONS.c.session_id)
        by_them = SESSIONS.c.id.in_(acting.where(IMPERSONATIONS.c.actor_id == user_id))
        in_theirs = SESSIONS.c.id.in_(acting) & (SESSIONS.c.user_id == user_id)
        for session_id in await self.end_those(session, by_them | in_theirs, by=by):
            self.tell(session, session_id)

    async def end_those(self, session: Session, *which: ColumnElement[bool], by: str) -> Sequence[UUID]:
        """End the log-ins that are open of those, and whatever hangs on them; their ids. Who calls it tells of them."""
        return await end_open(session, self.followers, *which, by=by)

    async def revoke(self, session: Session, token: str) -> None:
        """RFC 7009: end the log-in behind a refresh or access token; an unknown token is no fault."""
        if token.startswith(self.prefix):
            owner = select(REFRESH_TOKENS.c.session_id).where(REFRESH_TOKENS.c.token_hash == token_hash(token))
            session_id = (await session.execute(owner)).scalar_one_or_none()
        else:
            try:
                claims = await self._tokens.verify(token)
            except Unauthenticated:
                return
            # What an application holds ends at the provider's own endpoint, which asks who is asking (RFC 7009 2.1).
            session_id = claims.session_id if claims.client_id is None else None
        if session_id is not None:
            await self.end(session, session_id, by="logout")

    async def listed(self, session: Session, user_id: UUID) -> list[Row[Any]]:
        """The open log-ins of a user, the newest use first; `is_browser` of those by cookie."""
        return await session_list.listed(session, user_id, browser_idle=self._browser_idle)

    async def is_open(self, session: Session, token: str) -> bool:
        """Whether the log-in of a refresh token goes on, for a user who may still log in."""
        user = self._user.__table__.c
        found = await session.execute(
            select(SESSIONS.c.id)
            .join(REFRESH_TOKENS, REFRESH_TOKENS.c.session_id == SESSIONS.c.id)
            .join(self._user.__table__, user.id == SESSIONS.c.user_id)
            .where(
                REFRESH_TOKENS.c.token_hash == token_hash(token),
                SESSIONS.c.ended_at.is_(None),
                SESSIONS.c.expires_at > clock.now(),
                user.is_active,
            )
        )
        return found.first() is not None

    def is_known_address(self, user_id: ColumnElement[UUID], address: str) -> ColumnElement[bool]:
        """Whether the user has logged in from this address (or its /64) within the life of a log-in."""
        return session_list.is_known_address(user_id, address, within=self._lifetimes.absolute)

    async def forget(self, session: Session, user_id: UUID) -> None:
        """Remove every trace of the user's log-ins."""
        for follower in self.followers:
            await follower.forgotten(session, user_id)
        await session.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id))
        self.tell(session, user_id)

    async def sweep(self, session: Session) -> None:
        """Remove log-ins whose time is long over, and answers kept for a retry that will not come."""
        long_ago = clock.now() - timedelta(days=1)
        await session.execute(delete(SESSIONS).where(SESSIONS.c.expires_at < long_ago))
        await session.execute(
            update(REFRESH_TOKENS).where(REFRESH_TOKENS.c.used_at < long_ago).values(sealed_answer=None)
        )

    def tell(self, session: Session, about: UUID) -> None:
        """After the commit, forget what is remembered of a log-in or a user."""
        if session.unit is not None:
            session.unit.after_commit(lambda: self._on_change(about))


def _answer_sealer(token: str) -> Sealer:
    return Sealer(token.encode(), purpose="refresh answer")


def _scope_text(scope: frozenset[str] | None) -> str:
    return "" if scope is None else " ".join(sorted(scope))


def scope_problem(detail: str) -> Invalid:
    """RFC 6749 5.2 `invalid_scope`, as a problem."""
    return Invalid(detail, code="auth.invalid_scope", errors=[FieldError("scope", detail, pointer="/scope")])

"""Staff who act in somebody's account: for a while, with fewer rights than its owner, and never unseen.

The log-in is a row like any other, so that its owner sees and ends it. Its token names who acts (`act`, RFC 8693 4.1), as does
each audit record; it has no refresh token, and no scope: whatever protects an account asks for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert

from freehold.errors import Forbidden, NotFound
from freehold.identity.accounts import Accounts
from freehold.identity.authentication import Authentication
from freehold.identity.notices import Notices, language_of
from freehold.identity.sessions import Device, Sessions
from freehold.identity.tables import IMPERSONATIONS
from freehold.identity.tokens import AccessTokens
from freehold.resource.principal import Principal
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who may act in the accounts of others, and for how long at most. Nobody acts in the account of staff."""

    roles: Sequence[str]
    longest: timedelta = timedelta(minutes=30)


class Impersonations:
    """Log-ins of staff in the accounts of others. staff: roles whose accounts are out of reach."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, tokens: AccessTokens, notices: Notices, *, staff: frozenset[str]
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens
        self._notices = notices
        self._staff = staff

    async def begin(
        self, session: Session, user_id: UUID, *, actor: Principal, reason: str, lifetime: timedelta, device: Device
    ) -> tuple[str, int]:
        """An access token for the account, and for how many seconds it is good; the owner is told.

        Raises NotFound for an account that is closed or not there, Forbidden for one's own and that of staff.
        """
        async with session.unscoped("the rule of the operation has allowed it") as db:
            user: Any = await self._accounts.get(db, user_id, lock=True)
            if not user.is_active:
                raise NotFound
            if actor.id is None or user_id == actor.id or not self._staff.isdisjoint(user.roles):
                raise Forbidden("Nobody acts in this account but its owner.")
            session_id, end = await self._sessions.begin(
                db,
                user_id,
                scope=frozenset(),
                device=device,
                authentication=Authentication(frozenset()),
                lifetime=lifetime,
            )
            await db.execute(insert(IMPERSONATIONS).values(session_id=session_id, actor_id=actor.id))
            await record(
                db,
                "user.impersonated",
                subject_type="user",
                subject_id=user_id,
                details={"reason": reason, "minutes": int(lifetime.total_seconds() // 60)},
            )
            await self._notices.impersonated(
                db, user.email, reason=reason, lifetime=lifetime, language=language_of(user)
            )
            return await self._tokens.issue(
                subject=user_id,
                session_id=session_id,
                roles=list(user.roles),
                scope=frozenset(),
                not_after=end,
                lifetime=lifetime,  # nothing refreshes it
                actor_id=actor.id,
            )

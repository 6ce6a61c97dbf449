"""Staff who act in somebody's account: for a while, with fewer rights than its owner, and never unseen.

The log-in is a row like any other, so that its owner sees and ends it. Its token names who acts (`act`, RFC 8693 4.1), as does
each audit record; it has no refresh token, and no scope: whatever protects an account asks for one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert

from freehold.errors import ConfigurationError, Forbidden, NotFound
from freehold.identity.accounts import Accounts
from freehold.identity.authentication import Authentication
from freehold.identity.notices import Notices, language_of
from freehold.identity.rights import Rights
from freehold.identity.sessions import Device, Sessions
from freehold.identity.tables import IMPERSONATIONS
from freehold.identity.tokens import AccessTokens
from freehold.resource.principal import Principal
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who may act in the accounts of others, and for how long at most. Nobody acts in the account of staff.

    reaches: roles of the accounts that may be acted in. Without it those are in reach that may do nothing but what whoever
    acts may do too: acting in an account is no way to get rights.
    """

    roles: Sequence[str]
    longest: timedelta = timedelta(minutes=30)
    reaches: Sequence[str] = ()


class MoreRights(Forbidden):
    """The account has rights that whoever wants to act in it has not."""

    code, title = "identity.more_rights", "This account has rights that you have not"


@dataclass(frozen=True, slots=True)
class Reach:
    """In whose accounts staff may act. staff: roles that put one out of reach. granted: rights that do not."""

    staff: frozenset[str]
    granted: frozenset[str]
    rights: Rights

    @classmethod
    def of(
        cls, declared: Impersonation | None, *, staff: Iterable[str], known: Iterable[str] | None, rights: Rights
    ) -> Reach:
        """known: the names of roles that there are. Raises ConfigurationError for a reach that takes staff in."""
        acting, reached = ((), ()) if declared is None else (declared.roles, declared.reaches)
        named = {*staff, *acting}
        above = frozenset(role for role in {*named, *(known or ())} if not named.isdisjoint(rights.all([role])))
        if not above.isdisjoint(reached):
            wrong = ", ".join(sorted(above.intersection(reached)))
            raise ConfigurationError(
                f"Impersonation(reaches=...): {wrong} is a role of staff, in whose accounts nobody acts"
            )
        return cls(above, rights.all(reached), rights)

    def check(self, actor: Principal, roles: Collection[str]) -> None:
        """Raise Forbidden for an account of staff, MoreRights for one with rights that the actor has not."""
        if not self.staff.isdisjoint(roles):
            raise Forbidden("Nobody acts in this account but its owner.")
        if not self.rights.all(roles) <= actor.roles | self.granted:
            raise MoreRights("Acting in an account gives nobody rights that they have not.")


class Impersonations:
    """Log-ins of staff in the accounts of others."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, tokens: AccessTokens, notices: Notices, *, reach: Reach
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._tokens = tokens
        self._notices = notices
        self._reach = reach

    async def begin(
        self, session: Session, user_id: UUID, *, actor: Principal, reason: str, lifetime: timedelta, device: Device
    ) -> tuple[str, int]:
        """An access token for the account, and for how many seconds it is good; the owner is told.

        Raises NotFound for an account that is closed or not there, Forbidden for one's own and that of staff, MoreRights.
        """
        async with session.unscoped("the rule of the operation has allowed it") as db:
            user: Any = await self._accounts.get(db, user_id, lock=True)
            if not user.is_active:
                raise NotFound
            if actor.id is None or user_id == actor.id:
                raise Forbidden("Nobody acts in this account but its owner.")
            self._reach.check(actor, user.roles)
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

"""Log in with a password: the same answer in the same time, whatever is wrong (A01)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, update

from freehold.errors import Problem, Unauthenticated
from freehold.identity.emails import login_key
from freehold.identity.passwords import Passwords, Verdict
from freehold.identity.sessions import UNKNOWN, Device, Sessions, TokenAnswer
from freehold.identity.throttle import Throttle
from freehold.identity.users import UserMixin
from freehold.resource.principal import system
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.unit import Unit

    Settle = Callable[[Unit, TokenAnswer], Awaitable[Any]]


class WrongCredentials(Unauthenticated):
    """E-mail or password is wrong, or the account is closed: one answer."""

    code, title = "auth.wrong_credentials", "E-mail or password is wrong"


@dataclass(frozen=True, slots=True)
class _Found:
    id: UUID | None
    password_hash: str | None


class LogIn:
    """Password log-in. Hashing happens outside of any transaction: on SQLite an open one keeps everyone from writing."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        throttle: Throttle,
        *,
        user: type[UserMixin],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = throttle
        self._user: Any = user

    async def __call__(
        self,
        email: str,
        password: str,
        *,
        scope: frozenset[str] | None = None,
        device: Device = UNKNOWN,
        settle: Settle | None = None,
    ) -> TokenAnswer:
        """A new log-in. settle: called in its unit, last. Raises WrongCredentials, QuotaExceeded, Unavailable."""
        key = login_key(email)
        await self._throttle.admit("login", address=device.address, person=key)
        slowed = await self._throttle.try_password(key)
        found = await self._find(key, device if slowed else None)
        if slowed is not None and found.id is None:
            raise slowed
        verdict = await self._passwords.verify(password, found.password_hash)
        if not verdict.ok or found.id is None:
            raise WrongCredentials("E-mail or password is wrong.")
        if slowed is None:
            await self._throttle.password_was_right(key)
        return await self._open(found, verdict, scope, device, settle)

    async def check(self, user_id: UUID, password: str) -> None:
        """Verify the password of a known user once more, counted like a log-in. Raises WrongCredentials."""
        user = self._user.__table__.c
        async with self._database.reading(system("check a password")) as session:
            row = (await session.execute(select(user.email_key, user.password_hash).where(user.id == user_id))).one()
        slowed = await self._throttle.try_password(row.email_key)
        if slowed is not None:
            raise slowed
        if not (await self._passwords.verify(password, row.password_hash)).ok:
            raise WrongCredentials("The current password is wrong.")
        await self._throttle.password_was_right(row.email_key)

    async def _find(self, key: str, slowed: Device | None) -> _Found:
        """The account to verify against. An account that is slowed down is there only for a known good address (A07)."""
        user = self._user.__table__.c
        async with self._database.reading(system("log-in")) as session:
            query = select(user.id, user.password_hash).where(user.email_key == key, user.is_active)
            row = (await session.execute(query)).first()
            if row is None:
                return _Found(None, None)
            if slowed is not None and not await self._sessions.is_known_address(session, row.id, slowed.address):
                return _Found(None, None)
        return _Found(row.id, row.password_hash)

    async def _open(
        self,
        found: _Found,
        verdict: Verdict,
        scope: frozenset[str] | None,
        device: Device,
        settle: Settle | None,
    ) -> TokenAnswer:
        async def work(unit: Unit) -> TokenAnswer | Problem:
            # Looked at again under lock: the account may have been closed, or its password changed, while we hashed.
            table, session = self._user.__table__, unit.session
            query = select(table.c.id, table.c.roles).where(
                table.c.id == found.id, table.c.password_hash == found.password_hash, table.c.is_active
            )
            row = (await session.execute(query.with_for_update())).first()
            if row is None:
                return WrongCredentials("E-mail or password is wrong.")
            if verdict.replacement is not None:
                # Neither the row version nor updated_at: nothing that a client sees has changed (A06).
                changed = {"password_hash": verdict.replacement}
                if "updated_at" in table.c:
                    changed["updated_at"] = table.c.updated_at
                await session.execute(update(table).where(table.c.id == row.id).values(changed))
            answer = await self._sessions.open(session, row, scope=scope, device=device)
            await record(session, "user.login", subject_type="user", subject_id=row.id)
            if settle is not None:
                await settle(unit, answer)
            return answer

        outcome = await self._database.run(system("log-in"), work)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

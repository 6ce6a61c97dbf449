"""Log in with a password: the same answer in the same time, whatever is wrong (A01)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, select, update

from freehold.errors import Problem, Unauthenticated
from freehold.identity.authentication import PASSWORD, Authentication
from freehold.identity.emails import login_key
from freehold.identity.entry import Entry
from freehold.identity.outcomes import outcome_of
from freehold.identity.passwords import Passwords, Verdict
from freehold.identity.sessions import UNKNOWN, Device, Sessions, TokenAnswer
from freehold.identity.throttle import Throttle
from freehold.identity.users import UserMixin
from freehold.resource.principal import system
from freehold.store.row_versions import uncounted

T = TypeVar("T")

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.unit import Unit

    Settle = Callable[[Unit, TokenAnswer], Awaitable[Any]]
    Open = Callable[[Unit, Row[Any]], Awaitable[T | Problem]]


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
        entry: Entry,
        throttle: Throttle,
        *,
        user: type[UserMixin],
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._entry = entry
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
        """A new log-in with tokens. settle: called in its unit, last. Raises as `to_open` does."""

        async def with_tokens(unit: Unit, user: Row[Any]) -> TokenAnswer | Problem:
            answer = await self._entry.enter(
                unit.session, user, authentication=Authentication.by(PASSWORD), scope=scope, device=device
            )
            if settle is not None and isinstance(answer, TokenAnswer):
                await settle(unit, answer)
            return answer

        return await self.to_open(with_tokens, email, password, device=device)

    async def to_open(self, opens: Open[T], email: str, password: str, *, device: Device = UNKNOWN) -> T:
        """Verify the password, and open what a log-in is to be.

        opens: gets the user's row (id, roles) under lock; a problem that it returns is committed, and then raised.
        Raises WrongCredentials, FactorRequired, QuotaExceeded, Unavailable.
        """
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
        return await self._open(found, verdict, opens)

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
            if slowed is not None:  # in the same look, so that an account that is there takes no further one (A01)
                query = query.where(self._sessions.is_known_address(user.id, slowed.address))
            row = (await session.execute(query)).first()
        return _Found(None, None) if row is None else _Found(row.id, row.password_hash)

    async def _open(self, found: _Found, verdict: Verdict, opens: Open[T]) -> T:
        async def work(unit: Unit) -> T | Problem:
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
                await session.execute(uncounted(update(table).where(table.c.id == row.id).values(changed)))
            return await opens(unit, row)

        return await outcome_of(self._database.run(system("log-in"), work))

"""Mail a log-in link, and let in whoever opens it in the browser that asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from freehold.errors import Problem
from freehold.identity import one_time
from freehold.identity.first_proof import prove_address
from freehold.identity.notices import language_of
from freehold.identity.outcomes import outcome_of
from freehold.identity.sealing import new_token, token_hash
from freehold.resource.principal import system
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.identity.accounts import Accounts
    from freehold.identity.notices import Notices
    from freehold.identity.sessions import Device, Sessions
    from freehold.identity.users import UserMixin
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

T = TypeVar("T")
Open = Callable[["Unit", Any], Awaitable["T | Problem"]]


def new_browser() -> str:
    """A value for the browser that asks: 256 random bits, which its cookie holds."""
    return new_token("fhb_")


def binding(browser: str) -> str:
    """What is stored of the browser's value beside the link."""
    return token_hash(browser).hex()


class LinkLogIn:
    """Log-ins by mailed links, of one service."""

    def __init__(
        self,
        database: Database,
        *,
        user: type[UserMixin],
        accounts: Accounts,
        sessions: Sessions,
        notices: Notices,
        lifetime: timedelta,
    ) -> None:
        self._database = database
        self._user: Any = user
        self._accounts = accounts
        self._sessions = sessions
        self._notices = notices
        self.lifetime = lifetime

    async def send(self, db: Session, email_key: str, *, browser: str, following: str) -> None:
        """Mail a link to the owner of an address, if there is one. Runs as a job, out of the request's time (A01).

        browser: the `binding` of who asked. following: the path to go on to, which the link carries along.
        """
        user = (await db.execute(select(self._user).where(self._user.email_key == email_key))).scalar_one_or_none()
        if user is None or not user.is_active:
            return
        token = await one_time.issue(
            db,
            user_id=user.id,
            purpose=one_time.LOG_IN,
            email_key=user.email_key,
            payload=browser,
            lifetime=self.lifetime,
        )
        await record(db, "user.login_link_sent", subject_type="user", subject_id=user.id)
        await self._notices.login_link(
            db, user.email, token, self.lifetime, following=following, language=language_of(user)
        )

    async def to_open(self, token: str, opens: Open[T], *, browser: str, device: Device) -> T:
        """Use the link up, and open what a log-in is to be; its owner is told.

        opens: gets the user (id, roles) under lock; a problem that it returns is committed, and then raised.
        Raises Invalid for a link that is not good, or was asked for in another browser: that one is not used up.
        """

        async def work(unit: Unit) -> T | Problem:
            async with unit.session.unscoped("a log-in link names its user") as db:
                proof = await one_time.redeem(db, token, purpose=one_time.LOG_IN, payload=binding(browser))
                user = await self._accounts.get(db, proof.user_id, lock=True)
                if user.email_key != proof.email_key or not user.is_active:
                    raise one_time.unknown_token()
                is_first_proof = await prove_address(db, user)
                if is_first_proof:
                    await self._end_what_was(db, user)
                outcome = await opens(unit, user)
                if not isinstance(outcome, Problem):
                    await self._notices.login_by_link(
                        db,
                        user.email,
                        user_agent=device.user_agent,
                        is_first_proof=is_first_proof,
                        language=language_of(user),
                    )
                return outcome

        return await outcome_of(self._database.run(system("log-in by a link"), work))

    async def _end_what_was(self, db: Session, user: Any) -> None:
        """The password and the log-ins of whoever registered. The owner sets a password anew."""
        user.password_hash = None
        await self._sessions.end_all(db, user.id, by="account")
        await one_time.forget(db, user.id)
        await record(db, "user.email_verified", subject_type="user", subject_id=user.id)
        await db.flush()

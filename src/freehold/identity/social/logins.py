"""Log-in by a provider, from its beginning in a browser to the account. No transaction is open while a provider is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy import Row, select

from freehold.errors import ConfigurationError, NotFound, Problem
from freehold.identity.accounts import Accounts
from freehold.identity.addresses import EmailTaken
from freehold.identity.factors import holdings
from freehold.identity.notices import Notices, language_of
from freehold.identity.outcomes import outcome_of
from freehold.identity.returning import return_path, with_outcome
from freehold.identity.social import attempts, linked
from freehold.identity.social.attempts import Attempt, Wish
from freehold.identity.social.newcomer import Newcomers
from freehold.identity.social.problems import AccountExists, AttemptUnknown, LoginDenied, LoginFailed
from freehold.identity.social.provider import Asking, Profile, Provider
from freehold.identity.tables import SESSIONS
from freehold.resource.principal import system
from freehold.traffic.fetch import Fetcher

T = TypeVar("T")

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

    Opens = Callable[[Unit, Row[Any]], Awaitable[T | Problem]]

_log = structlog.get_logger("freehold.identity")
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class Begun:
    """url: where the browser goes. browser: the value of its cookie."""

    url: str
    browser: str


class SocialLogins:
    """The providers of one service.

    public_url: of the service; providers send people back below it. allowed: hosts inside that may be asked.
    Raises ConfigurationError for two providers of one name.
    """

    def __init__(
        self,
        database: Database,
        providers: Sequence[Provider],
        *,
        accounts: Accounts,
        notices: Notices,
        user: Any,
        create: type[BaseModel],
        public_url: str,
        allowed: Sequence[str] = (),
    ) -> None:
        self.providers = {each.name: each for each in providers}
        if len(self.providers) < len(providers):
            raise ConfigurationError("two log-in providers have one name")
        hosts = frozenset().union(*(each.hosts for each in providers))
        self._ask = Asking(Fetcher(allowed=[*allowed, *hosts]))
        self._database, self._accounts, self._notices, self._user = database, accounts, notices, user
        self._newcomers = Newcomers(create)
        self._public_url = public_url

    async def begin(self, name: str, wish: Wish) -> Begun:
        """An attempt of a browser. Raises NotFound for a provider that there is not, ProviderAway, LoginFailed."""
        provider = self._provider(name)
        question = attempts.asked(self._redirect_uri(name))
        url = await provider.address(self._ask, question)
        safe = Wish(return_path(wish.return_to), wish.user_id, wish.session_id, wish.registration)
        browser = await self._database.run(
            system("begin a log-in by a provider"), lambda unit: attempts.begin(unit.session, name, question, safe)
        )
        return Begun(url, browser)

    async def finish(self, name: str, parameters: Mapping[str, str], *, browser: str) -> str:
        """What the callback comes to: the path to go on to, with `login` or `login_error` in its query.

        With `login=done` the browser may ask to be let in (`redeem`), within a minute.
        Raises AttemptUnknown where there is no path to go back to.
        """
        provider, state = self._provider(name), parameters.get("state", "")[:_LONGEST]
        attempt = await self._database.run(
            system("the callback of a provider"),
            lambda unit: attempts.take(
                unit.session, name, state=state, browser=browser, redirect_uri=self._redirect_uri(name)
            ),
        )
        if attempt is None:
            raise AttemptUnknown("Begin again: this log-in was begun elsewhere, was used, or took too long.")
        try:
            profile = await self._profile(provider, attempt, parameters)
            outcome = await self._settled(attempt, profile)
        except Problem as problem:
            # What exactly was wrong is for the log alone; the page is told the code.
            _log.warning("login_by_provider_failed", provider=name, code=problem.problem_code, detail=str(problem))
            return with_outcome(attempt.wish.return_to, login_error=problem.problem_code)
        return with_outcome(attempt.wish.return_to, login=outcome)

    async def _profile(self, provider: Provider, attempt: Attempt, parameters: Mapping[str, str]) -> Profile:
        if "error" in parameters:
            if parameters["error"] == "access_denied":
                raise LoginDenied
            raise LoginFailed(f"The provider answered {parameters['error'][:100]!r}.")
        if len(parameters.get("code", "")) > _LONGEST:
            raise LoginFailed("The code is too long.")
        return await provider.profile(self._ask, attempt.question, parameters)

    async def _settled(self, attempt: Attempt, profile: Profile) -> str:
        async def work(unit: Unit) -> str:
            if attempt.wish.user_id is not None:
                await self._link(unit.session, attempt, profile)
                return "linked"
            user_id = await self._known_or_new(unit.session, attempt, profile)
            await attempts.grant(unit.session, attempt.id, user_id)
            return "done"

        return await self._database.run(system("a log-in by a provider"), work)

    async def _link(self, db: Session, attempt: Attempt, profile: Profile) -> None:
        """To the account of the log-in that asked for it, as long as that log-in goes on."""
        user = await self._accounts.get(db, attempt.wish.user_id or UUID(int=0), lock=True)
        mine = select(SESSIONS.c.id).where(
            SESSIONS.c.id == attempt.wish.session_id, SESSIONS.c.user_id == user.id, SESSIONS.c.ended_at.is_(None)
        )
        if not user.is_active or (await db.execute(mine)).first() is None:
            raise LoginFailed("The log-in that asked for it is over.")
        if await linked.link(db, user.id, attempt.provider, profile):
            title = self.providers[attempt.provider].title
            await self._notices.identity_linked(db, user.email, title, language=language_of(user))

    async def _known_or_new(self, db: Session, attempt: Attempt, profile: Profile) -> UUID:
        user_id = await linked.owner_of(db, profile)
        if user_id is None:
            draft = self._newcomers.draft(profile, attempt.wish.registration)
            try:
                user_id = await self._accounts.register(db, draft, password_hash=None, is_verified=True)
            except EmailTaken:
                raise AccountExists("The address has an account: log in to it, then link this identity.") from None
            await linked.link(db, user_id, attempt.provider, profile)
        user = await self._accounts.get(db, user_id)
        if not user.is_active:
            raise LoginFailed("The account is closed.")
        await linked.used(db, profile)
        return user_id

    async def redeem(self, browser: str, opens: Opens[T]) -> T:
        """Let in whom a browser was granted to, once. opens: gets the unit and the user's row (id, roles) under lock.

        What it returns is given back, and a Problem raised once the unit is committed. Raises AttemptUnknown.
        """

        async def work(unit: Unit) -> T | Problem:
            found = await attempts.redeem(unit.session, browser)
            if found is None:
                return AttemptUnknown("Begin again: there is no log-in of this browser that waits.")
            table = self._user.__table__.c
            query = select(table.id, table.roles).where(table.id == found[1], table.is_active).with_for_update()
            user = (await unit.session.execute(query)).first()
            return LoginFailed("The account is closed.") if user is None else await opens(unit, user)

        return await outcome_of(self._database.run(system("log-in by a provider"), work))

    async def unlink(self, db: Session, user_id: UUID, identity_id: UUID) -> None:
        """Take an identity from its user, who is told. Raises NotFound, LastWayIn."""
        async with db.unscoped("a user's own identities") as everything:
            user = await self._accounts.get(everything, user_id, lock=True)
            # A passkey logs in by itself; a code of an app is only ever a second step.
            has_passkey = holdings.PASSKEY in await holdings.kinds(everything, user_id)
            has_other_way = has_passkey or user.password_hash is not None
            name = await linked.unlink(everything, user_id, identity_id, has_other_way=has_other_way)
            title = self.providers[name].title if name in self.providers else name
            await self._notices.identity_unlinked(everything, user.email, title, language=language_of(user))

    def _provider(self, name: str) -> Provider:
        found = self.providers.get(name)
        if found is None:
            raise NotFound
        return found

    def _redirect_uri(self, name: str) -> str:
        return f"{self._public_url}/v1/auth/providers/{name}/callback"

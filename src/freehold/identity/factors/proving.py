"""The second step of a log-in: a code or a passkey, and what the log-in has proved then.

Whatever is wrong, a refusal is returned from the unit and raised outside: what it used up stays used up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from uuid import UUID

from freehold.errors import Problem
from freehold.identity.authentication import CODE, KEY, PRESENT, Authentication
from freehold.identity.factors import challenges, holdings
from freehold.identity.factors.desk import Desk
from freehold.identity.factors.passkeys import Credential, Passkeys
from freehold.identity.factors.problems import CodeRefused, StepOver
from freehold.identity.factors.recovery import RecoveryCodes
from freehold.identity.factors.steps import Step, Steps
from freehold.identity.factors.totp import Totp
from freehold.identity.outcomes import outcome_of
from freehold.identity.throttle import Throttle
from freehold.resource.principal import MULTI_FACTOR, system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proved:
    """A log-in that has proved enough. user: its row, locked. session_id: of a log-in that becomes stronger by it.

    recovery_codes: new ones, where the factor was set up in this step; shown this once.
    """

    user: Any
    authentication: Authentication
    scope: frozenset[str] | None
    session_id: UUID | None = None
    recovery_codes: tuple[str, ...] = ()


Finish: TypeAlias = Callable[["Unit", Proved], Awaitable[T | Problem]]
"""What follows in the same unit: tokens, a cookie. A returned problem is raised once the unit is committed."""
_Attempt: TypeAlias = Callable[["Session", Step], Awaitable[Proved | Problem]]


class Proving:
    """The second steps of one service."""

    def __init__(
        self,
        database: Database,
        steps: Steps,
        throttle: Throttle,
        *,
        totp: Totp,
        codes: RecoveryCodes,
        passkeys: Passkeys,
        desk: Desk,
    ) -> None:
        self._database = database
        self._steps = steps
        self._throttle = throttle
        self._totp = totp
        self._codes = codes
        self._passkeys = passkeys
        self._desk = desk

    async def by_totp(self, token: str, code: str, *, address: str, finish: Finish[T]) -> T:
        """Raises StepOver, CodeRefused, QuotaExceeded, and what `finish` returns."""

        async def attempt(session: Session, step: Step) -> Proved | Problem:
            good = await self._totp.verify(session, step.user.id, code)
            return _proved(step, CODE) if good else CodeRefused("The code is not good.")

        return await self._counted(token, address, attempt, finish)

    async def by_recovery_code(self, token: str, code: str, *, address: str, finish: Finish[T]) -> T:
        """Uses the code up and tells the owner. Raises as `by_totp` does."""

        async def attempt(session: Session, step: Step) -> Proved | Problem:
            if not await holdings.kinds(session, step.user.id):
                return CodeRefused("The code is not good.")
            if not await self._codes.use(session, step.user.id, code):
                return CodeRefused("The code is not good.")
            await self._desk.tell_of_recovery(session, step.user)
            return _proved(step, CODE)

        return await self._counted(token, address, attempt, finish)

    async def by_passkey(self, token: str, credential: Credential, *, finish: Finish[T]) -> T:
        """With a step that has no user yet the passkey is the only proof. Raises StepOver, PasskeyRefused."""

        async def attempt(session: Session, step: Step) -> Proved | Problem:
            wanted = None if step.user is None else step.user.id
            found = await self._passkeys.verify(session, challenges.of_step(token), credential, user_id=wanted)
            if isinstance(found, Problem):
                return found
            user = step.user or await self._steps.user(session, found)
            return StepOver() if user is None else _proved(step, KEY, PRESENT, user=user)

        return await self._run(token, attempt, finish, knows_user=False)

    async def passkey_options(self, token: str | None) -> tuple[str, dict[str, Any]]:
        """A step token and what a browser needs. token: None for a log-in by passkey alone. Raises StepOver."""

        async def work(unit: Unit) -> tuple[str, dict[str, Any]]:
            session, held = unit.session, token
            if held is None:
                held = await self._steps.begin(session, None, amr=(), scope=None)
            step = await self._steps.find(session, held)
            if step is None:
                raise StepOver
            user_id = None if step.user is None else step.user.id
            return held, await self._passkeys.login_options(session, challenges.of_step(held), user_id=user_id)

        return await self._database.run(system("log in by a passkey"), work)

    async def enrolling(self, token: str, work: Callable[[Session, Step], Awaitable[T]]) -> T:
        """Begin to set up the factor that a log-in needs. Raises StepOver, also where the account has one already."""

        async def in_unit(unit: Unit) -> T:
            return await work(unit.session, await self._bare(unit.session, token))

        return await self._database.run(system("set up a second factor"), in_unit)

    async def confirm_totp(self, token: str, code: str, *, address: str, finish: Finish[T]) -> T:
        """The first code of a new secret, in a log-in that needs a factor. Raises StepOver, CodeRefused, NoSecret."""

        async def attempt(session: Session, step: Step) -> Proved | Problem:
            await self._bare(session, token)
            codes = await self._desk.confirm_totp(session, step.user, code)
            return codes if isinstance(codes, Problem) else _proved(step, CODE, codes=codes)

        return await self._counted(token, address, attempt, finish)

    async def register_passkey(self, token: str, credential: Credential, *, name: str, finish: Finish[T]) -> T:
        """The first passkey, in a log-in that needs a factor. Raises StepOver, RegistrationRefused."""

        async def attempt(session: Session, step: Step) -> Proved | Problem:
            await self._bare(session, token)
            added = await self._desk.add_passkey(session, step.user, challenges.of_step(token), credential, name=name)
            return added if isinstance(added, Problem) else _proved(step, KEY, PRESENT, codes=added.recovery_codes)

        return await self._run(token, attempt, finish)

    async def _bare(self, session: Session, token: str) -> Step:
        """The step of an account without a factor: whoever has the password alone may not add one beside another's."""
        step = await self._steps.find(session, token)
        if step is None or step.user is None or await holdings.kinds(session, step.user.id):
            raise StepOver
        return step

    async def _counted(self, token: str, address: str, attempt: _Attempt, finish: Finish[T]) -> T:
        async with self._database.reading(system("whose step it is")) as session:
            user_id = await self._steps.owner(session, token)
        if user_id is None:
            raise StepOver
        refused = await self._throttle.try_factor(user_id, address=address)
        if refused is not None:
            raise refused
        try:
            found = await self._run(token, attempt, finish)
        except StepOver:  # it ended meanwhile: no code was looked at
            await self._throttle.factor_was_right(user_id)
            raise
        await self._throttle.factor_was_right(user_id)
        return found

    async def _run(self, token: str, attempt: _Attempt, finish: Finish[T], *, knows_user: bool = True) -> T:
        async def work(unit: Unit) -> T | Problem:
            step = await self._steps.find(unit.session, token)
            if step is None or (knows_user and step.user is None):
                return StepOver()
            proved = await attempt(unit.session, step)
            if isinstance(proved, Problem):
                return proved
            await self._steps.end(unit.session, step)
            return await finish(unit, proved)

        return await outcome_of(self._database.run(system("second step of a log-in"), work))


def _proved(step: Step, *methods: str, user: Any = None, codes: tuple[str, ...] = ()) -> Proved:
    """One factor more than the step had; a passkey alone stands for two, since it knows its user."""
    authentication = Authentication.by(*step.amr, *methods, MULTI_FACTOR)
    return Proved(user or step.user, authentication, step.scope, step.session_id, codes)

"""What an owner does with their factors: add, remove, new codes. Each is written down, and they are told by mail.

Each function runs in its caller's unit, and none commits. A refusal that uses something up is returned, not raised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from freehold.errors import NotFound, Problem
from freehold.identity.authentication import Requirement
from freehold.identity.factors import holdings
from freehold.identity.factors.passkeys import Credential, Passkeys
from freehold.identity.factors.problems import CodeRefused, LastFactor
from freehold.identity.factors.recovery import RecoveryCodes
from freehold.identity.factors.totp import Enrolment, Totp
from freehold.identity.notices import Notices, language_of
from freehold.identity.strengthening import weaken
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Added:
    """A new factor. recovery_codes: with the first of an account, shown this once; empty with a further one."""

    id: UUID
    recovery_codes: tuple[str, ...]


class Desk:
    """The factors of one service's accounts. `user`: a row with `id`, `email`, `full_name`, `roles`, locked."""

    def __init__(
        self,
        notices: Notices,
        *,
        totp: Totp,
        codes: RecoveryCodes,
        passkeys: Passkeys,
        requirement: Requirement,
        tell: Callable[[Session, UUID], None],
    ) -> None:
        """requirement: from whom a factor is asked, who therefore may not remove the last.

        tell: says that what the log-ins of a user may do has changed (`Sessions.tell`).
        """
        self._notices = notices
        self._totp = totp
        self._codes = codes
        self._passkeys = passkeys
        self._requirement = requirement
        self._tell = tell

    def must_have(self, user: Any) -> bool:
        """Whether the account has to have a factor."""
        return self._requirement.concerns(user.roles or ())

    async def enrol_totp(self, session: Session, user: Any, *, name: str) -> Enrolment:
        """A new secret, which counts once `confirm_totp` has seen a code of it. Raises FactorExists."""
        return await self._totp.enrol(session, user.id, account=user.email, name=name)

    async def confirm_totp(self, session: Session, user: Any, code: str) -> tuple[str, ...] | CodeRefused:
        """Take the first code. Recovery codes, with the first factor of an account. Raises NoSecret."""
        is_first = not await holdings.kinds(session, user.id)
        factor_id = await self._totp.confirm(session, user.id, code)
        if factor_id is None:
            return CodeRefused("The code is not good.")
        return await self._added(session, user, holdings.TOTP, factor_id, is_first=is_first)

    async def passkey_options(self, session: Session, user: Any, holder: bytes) -> dict[str, Any]:
        """What a browser needs to make a passkey."""
        return await self._passkeys.registration_options(session, user, holder)

    async def add_passkey(
        self, session: Session, user: Any, holder: bytes, credential: Credential, *, name: str
    ) -> Added | Problem:
        """Take a new passkey, or the refusal."""
        is_first = not await holdings.kinds(session, user.id)
        found = await self._passkeys.register(session, user.id, holder, credential, name=name)
        if isinstance(found, Problem):
            return found
        return Added(found, await self._added(session, user, holdings.PASSKEY, found, is_first=is_first))

    async def renew_codes(self, session: Session, user: Any) -> list[str]:
        """Ten new recovery codes; the old ones are dead. Raises NotFound where there is no factor they stand in for."""
        if not await holdings.kinds(session, user.id):
            raise NotFound
        codes = await self._codes.renew(session, user.id)
        await record(session, "user.recovery_codes_renewed", subject_type="user", subject_id=user.id)
        await self._notices.recovery_codes_renewed(session, user.email, language=language_of(user))
        return codes

    async def remove(self, session: Session, user: Any, factor_id: UUID) -> None:
        """Remove a factor; with the last the recovery codes, and what log-ins have by it. Raises NotFound, LastFactor."""
        held = await holdings.listed(session, user.id)
        if factor_id not in {each.id for each in held}:
            raise NotFound
        if len(held) == 1 and self.must_have(user):
            raise LastFactor("Your account has to have a second factor: add another one first.")
        kind = await holdings.remove(session, user.id, factor_id)
        if len(held) == 1:
            await holdings.forget_codes(session, user.id)
            await weaken(session, user.id)
            self._tell(session, user.id)
        await self._told(session, user, "user.factor_removed", {"kind": kind, "factor_id": str(factor_id)})
        await self._notices.factor_removed(session, user.email, language=language_of(user))

    async def remove_all(self, session: Session, user: Any) -> None:
        """Every factor and code is gone, and the owner is told."""
        await holdings.forget(session, user.id)
        await self._told(session, user, "user.factors_reset", {})
        await self._notices.factor_removed(session, user.email, language=language_of(user))

    async def tell_of_recovery(self, session: Session, user: Any) -> None:
        """A recovery code was used."""
        left = await self._codes.left(session, user.id)
        await self._told(session, user, "user.recovery_code_used", {"left": left})
        await self._notices.recovery_code_used(session, user.email, left, language=language_of(user))

    async def codes_left(self, session: Session, user_id: UUID) -> int:
        """How many recovery codes are good still."""
        return await self._codes.left(session, user_id)

    async def _added(
        self, session: Session, user: Any, kind: str, factor_id: UUID, *, is_first: bool
    ) -> tuple[str, ...]:
        await self._told(session, user, "user.factor_added", {"kind": kind, "factor_id": str(factor_id)})
        await self._notices.factor_added(session, user.email, language=language_of(user))
        return tuple(await self._codes.renew(session, user.id)) if is_first else ()

    async def _told(self, session: Session, user: Any, action: str, details: dict[str, Any]) -> None:
        await record(session, action, subject_type="user", subject_id=user.id, details=details)

"""The second factors of one service, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from freehold.identity.authentication import Requirement
from freehold.identity.factors import challenges, steps
from freehold.identity.factors.desk import Desk
from freehold.identity.factors.gate import FactorGate
from freehold.identity.factors.passkeys import Passkeys
from freehold.identity.factors.proving import Proving
from freehold.identity.factors.recovery import RecoveryCodes
from freehold.identity.factors.steps import Steps
from freehold.identity.factors.totp import Totp
from freehold.identity.notices import Notices
from freehold.identity.throttle import Throttle
from freehold.identity.users import UserMixin

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Factors:
    """gate: whether a log-in has to prove more. proving: its second step. desk: what owners do with their factors."""

    gate: FactorGate
    proving: Proving
    desk: Desk
    steps: Steps
    requirement: Requirement

    @classmethod
    def of(
        cls,
        database: Database,
        *,
        user: type[UserMixin],
        requirement: Requirement,
        notices: Notices,
        throttle: Throttle,
        secret: bytes,
        public_url: str,
        service_name: str,
        tell: Callable[[Session, UUID], None],
    ) -> Factors:
        """public_url: its origin is the only one that passkeys work on. service_name: as apps and browsers show it.

        tell: see `Desk`.
        """
        totp, codes = Totp(secret=secret, issuer=service_name), RecoveryCodes(secret=secret)
        passkeys = Passkeys(public_url=public_url, service_name=service_name)
        desk = Desk(notices, totp=totp, codes=codes, passkeys=passkeys, requirement=requirement, tell=tell)
        found = Steps(user=user)
        proving = Proving(database, found, throttle, totp=totp, codes=codes, passkeys=passkeys, desk=desk)
        return cls(FactorGate(found, requirement), proving, desk, found, requirement)

    async def sweep(self, session: Session) -> None:
        """Remove challenges and steps whose time is over."""
        await challenges.sweep(session)
        await steps.sweep(session)

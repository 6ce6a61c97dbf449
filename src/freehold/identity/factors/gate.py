"""Whether a log-in has to prove more, and the step token with which it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from freehold.identity.authentication import Authentication, Requirement
from freehold.identity.entry import FactorRequired
from freehold.identity.factors import holdings
from freehold.identity.factors.steps import LIFETIME, Steps

if TYPE_CHECKING:
    from freehold.store.session import Session


class FactorGate:
    """Asks for a second factor whoever has one, and whoever has to have one."""

    def __init__(self, steps: Steps, requirement: Requirement) -> None:
        self._steps = steps
        self._requirement = requirement

    async def demand(
        self, session: Session, user: Any, *, authentication: Authentication, scope: frozenset[str] | None
    ) -> FactorRequired | None:
        """See `Gate`. An account without a factor that has to have one sets it up in this step."""
        if authentication.has_factor:
            return None
        kinds = await holdings.kinds(session, user.id)
        if not kinds and not self._requirement.concerns(user.roles or ()):
            return None
        token = await self._steps.begin(session, user.id, amr=authentication.amr, scope=scope)
        return _due(token, kinds)

    async def step_up(
        self, session: Session, user_id: UUID, *, session_id: UUID, scope: frozenset[str] | None
    ) -> FactorRequired | None:
        """The step by which an open log-in proves a factor anew; None where the account has none."""
        kinds = await holdings.kinds(session, user_id)
        if not kinds:
            return None
        token = await self._steps.begin(session, user_id, amr=(), scope=scope, session_id=session_id)
        return _due(token, kinds)


def _due(token: str, kinds: list[str]) -> FactorRequired:
    return FactorRequired(
        step_token=token, expires_in=int(LIFETIME.total_seconds()), factors=kinds, enrolment=not kinds
    )

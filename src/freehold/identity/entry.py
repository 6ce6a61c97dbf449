"""The one way in: whoever has proved who they are gets a log-in here, or is asked for a second factor first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from freehold.errors import Unauthenticated
from freehold.identity.authentication import Authentication
from freehold.identity.sessions import Device, Sessions, TokenAnswer
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


class FactorRequired(Unauthenticated):
    """The first factor was right, and a second is due. The step token in the answer opens the routes that take it."""

    code, title = "auth.factor_required", "A second factor is needed"

    def __init__(self, *, step_token: str, expires_in: int, factors: list[str], enrolment: bool) -> None:
        """factors: kinds that the account has. enrolment: it has none yet, and needs one to go on."""
        detail = "Set up a second factor to log in." if enrolment else "Prove a second factor to log in."
        told = {"step_token": step_token, "expires_in": expires_in, "factors": factors, "enrolment": enrolment}
        super().__init__(detail, extra=told)


class Gate(Protocol):
    """Says whether a log-in has to prove more."""

    async def demand(
        self, session: Session, user: Any, *, authentication: Authentication, scope: frozenset[str] | None
    ) -> FactorRequired | None:
        """What is asked of `user` (a row with `id` and `roles`) before a log-in; None for nothing more."""
        ...


class Entry:
    """Log-ins of one service, by whatever proof: password, passkey, another site, a cookie."""

    def __init__(self, sessions: Sessions, gate: Gate) -> None:
        self._sessions = sessions
        self._gate = gate

    async def demand(
        self,
        session: Session,
        user: Any,
        *,
        authentication: Authentication,
        scope: frozenset[str] | None = None,
    ) -> FactorRequired | None:
        """What has to be proved still. For whoever keeps log-ins of their own; `enter` asks it itself.

        Return it from the unit and raise it outside: the step token is a row that has to be committed.
        """
        return await self._gate.demand(session, user, authentication=authentication, scope=scope)

    async def enter(
        self,
        session: Session,
        user: Any,
        *,
        authentication: Authentication,
        scope: frozenset[str] | None,
        device: Device,
    ) -> TokenAnswer | FactorRequired:
        """A new log-in of `user` (a row with `id` and `roles`, locked), and its tokens; or what is due before.

        Return a FactorRequired from the unit and raise it outside, so that its step token is committed.
        """
        due = await self.demand(session, user, authentication=authentication, scope=scope)
        if due is not None:
            return due
        answer = await self._sessions.open(session, user, scope=scope, device=device, authentication=authentication)
        await record(session, "user.login", subject_type="user", subject_id=user.id, after=_how(authentication))
        return answer


def _how(authentication: Authentication) -> dict[str, Any]:
    return {"amr": sorted(authentication.amr)}

"""How the second step of a log-in ends: in the same unit as the proof, in tokens or in a cookie."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import Request, Response

from freehold.errors import Problem
from freehold.identity.factors.problems import StepOver
from freehold.identity.factors.proving import Finish, Proved
from freehold.identity.strengthening import strengthen
from freehold.web import browser
from freehold.web.identity_browser import opened_session, require_browser
from freehold.web.identity_factor_forms import AccessRead, EnrolledRead, StepProof, answered
from freehold.web.identity_parts import device_of, retry_of
from freehold.web.identity_tokens import token_answer

if TYPE_CHECKING:
    from freehold.identity.service import Identity
    from freehold.store.unit import Unit


class Finishing:
    """Ends second steps of one service."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def of(self, request: Request, sent: StepProof) -> Finish[Response]:
        """The end of this request. Raises ForgedRequest for a log-in by cookie that no page of ours sent."""
        if sent.browser_session:
            await require_browser(request)

        async def finish(unit: Unit, proved: Proved) -> Response | Problem:
            if proved.session_id is not None:
                return await self.stronger(request, unit, proved)
            if sent.browser_session:
                return await self._by_cookie(request, unit, proved)
            return await self._by_tokens(request, unit, proved)

        return finish

    async def _by_tokens(self, request: Request, unit: Unit, proved: Proved) -> Response | Problem:
        answer = await self._identity.parts.entry.enter(
            unit.session,
            proved.user,
            authentication=proved.authentication,
            scope=proved.scope,
            device=device_of(request),
        )
        if isinstance(answer, Problem):
            return answer
        codes = list(proved.recovery_codes)
        response = answered(EnrolledRead(**asdict(answer), recovery_codes=codes)) if codes else token_answer(answer)
        return await retry_of(request).settle(unit, response)

    async def _by_cookie(self, request: Request, unit: Unit, proved: Proved) -> Response:
        session = await browser.open_session(
            request, unit, proved.user.id, authentication=proved.authentication, scope=proved.scope
        )
        return opened_session(request, session, recovery_codes=proved.recovery_codes)

    async def stronger(self, request: Request, unit: Unit, proved: Proved) -> Response | Problem:
        """An open log-in that has proved more: another cookie where it is this browser's, else a new access token."""
        if proved.user is None or proved.session_id is None:
            return StepOver()
        session = await browser.renew_session(request, unit, authentication=proved.authentication)
        if session is not None:
            if session.session_id != proved.session_id:
                raise StepOver  # the cookie of another log-in: raised, so that nothing of all this is kept
            return opened_session(request, session, status=200)
        given = await strengthen(
            unit.session,
            self._identity.parts.tokens,
            proved.user,
            proved.session_id,
            authentication=proved.authentication,
            scope=proved.scope,
        )
        if given is None:
            return StepOver()
        token, seconds = given
        return answered(AccessRead(access_token=token, expires_in=seconds, scope=" ".join(sorted(proved.scope or ()))))

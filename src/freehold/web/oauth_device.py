"""`/oauth/device`: a person types the code that a device shows, and says what it may do (RFC 8628 3.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form, Request, Response

from freehold.identity.provider import consents, devices, discovery
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.resource.quotas import Quota
from freehold.store.unit import Unit
from freehold.traffic.limits import take
from freehold.web import browser
from freehold.web.oauth_log_in import log_in_first
from freehold.web.oauth_page_route import PageRoute
from freehold.web.oauth_pages import page
from freehold.web.oauth_visit import visit_of
from freehold.web.oauth_wire import provider_of
from freehold.web.unit import Router, allow

DECISION = "/oauth/device/decision"
TYPED = Quota(10, timedelta(minutes=5), when_away="count")
"""Codes that one person may type: twenty thousand million cannot be guessed at this rate (RFC 8628 5.1)."""


def device_router(identity: Identity) -> Router:
    """The page, and the form behind it."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    @router.get(discovery.VERIFICATION)
    async def ask(request: Request, user_code: str = "") -> Response:
        """Type the code; with one in the address, compare it with the device's."""
        visit = await visit_of(request)
        if visit is None:
            query = f"?{urlencode({'user_code': user_code})}" if user_code else ""
            return log_in_first(discovery.VERIFICATION + query, identity)
        if not user_code:
            return await page(request, "device", action=discovery.VERIFICATION, fault=None)
        await take(identity.parts.throttle.limiter, [("oauth-device", str(visit.user_id), TYPED)])
        row = await _waiting(identity, user_code)
        if row is None:
            fault = "No device waits under this code. Look at it again; codes end after ten minutes."
            return await page(request, "device", status=404, action=discovery.VERIFICATION, fault=fault)
        parts = provider_of(identity)
        return await page(
            request, "device_consent", action=DECISION, client=row.client_name, user_code=devices.shown(row.user_code),
            sentences=[parts.sentences[name] for name in row.scope.split()],
        )  # fmt: skip

    @router.post(DECISION)
    async def decide(
        request: Request, user_code: Annotated[str, Form()] = "", decision: Annotated[str, Form()] = ""
    ) -> Response:
        """Take the person's answer."""
        await browser.require_page(request)
        visit = await visit_of(request)
        if visit is None:
            return log_in_first(discovery.VERIFICATION, identity)
        await take(identity.parts.throttle.limiter, [("oauth-device", str(visit.user_id), TYPED)])

        async def work(unit: Unit) -> bool:
            row = await devices.find(unit.session, user_code)
            if row is None:
                return False
            if decision == "allow":
                await consents.give(unit.session, visit.user_id, row.client_id, row.scope.split())
            return await devices.answer(unit.session, row.user_code, visit, allowed=decision == "allow")

        taken = await identity.parts.database.run(system("a person answers a device"), work)
        status = 200 if taken else 404
        return await page(request, "device_done", status=status, taken=taken, allowed=decision == "allow")

    return router


async def _waiting(identity: Identity, user_code: str) -> Any | None:
    async with identity.parts.database.reading(system("find a device that waits")) as session:
        return await devices.find(session, user_code)

"""`/oauth/device`: a person types the code that a device shows, and says what it may do (RFC 8628 3.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form as FormField
from fastapi import Request, Response

from freehold.identity.provider import consents, devices, discovery
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.resource.quotas import Quota
from freehold.store.unit import Unit
from freehold.traffic.limits import take
from freehold.web.oauth_log_in import log_in_first
from freehold.web.oauth_page_route import ProviderPage
from freehold.web.oauth_visit import page_for_visit, visit_of
from freehold.web.oauth_wire import provider_of
from freehold.web.pages.forms import Form
from freehold.web.pages.messages import of_scope
from freehold.web.unit import Router, allow
from freehold.wording import Phrase, phrase

DECISION = "/oauth/device/decision"
_LONGEST = 40
TYPED = Quota(10, timedelta(minutes=5), when_away="count")
"""Codes that one person may type: twenty thousand million cannot be guessed at this rate (RFC 8628 5.1)."""


def device_router(identity: Identity) -> Router:
    """The page, and the form behind it."""
    router = Router(route_class=ProviderPage, include_in_schema=False, dependencies=[allow(anyone)])

    @router.get(discovery.VERIFICATION)
    async def ask(request: Request, user_code: str = "") -> Response:
        """Type the code; with one in the address, compare it with the device's."""
        visit = await visit_of(request)
        if visit is None:
            query = f"?{urlencode({'user_code': user_code})}" if user_code else ""
            return log_in_first(request, discovery.VERIFICATION + query)
        if not user_code:
            return await page_for_visit(request, identity, "device", action=discovery.VERIFICATION)
        await take(identity.parts.throttle.limiter, [("oauth-device", str(visit.user_id), TYPED)])
        row = await _waiting(identity, user_code)
        if row is None:
            fault = phrase("No device waits under this code. Look at it again; codes end after ten minutes.")
            form = Form({"user_code": user_code[:_LONGEST]}, {"user_code": fault}, 404)
            return await page_for_visit(
                request, identity, "device", status=form.status, form=form, action=discovery.VERIFICATION
            )
        parts = provider_of(identity)
        return await page_for_visit(
            request,
            identity,
            "device_consent",
            action=DECISION,
            client=row.client_name,
            user_code=devices.shown(row.user_code),
            sentences=[of_scope(name, parts.sentences) for name in parts.scopes if name in row.scope.split()],
        )

    @router.post(DECISION)
    async def decide(
        request: Request, user_code: Annotated[str, FormField()] = "", decision: Annotated[str, FormField()] = ""
    ) -> Response:
        """Take the person's answer."""
        visit = await visit_of(request)
        if visit is None:
            return log_in_first(request, discovery.VERIFICATION)
        await take(identity.parts.throttle.limiter, [("oauth-device", str(visit.user_id), TYPED)])

        async def work(unit: Unit) -> bool:
            row = await devices.find(unit.session, user_code)
            if row is None:
                return False
            allowed = decision == "allow"
            taken = await devices.answer(unit.session, row.user_code, visit, allowed=allowed)
            if taken and allowed:  # nobody consents to a device that another has answered meanwhile
                await consents.give(unit.session, visit.user_id, row.client_id, row.scope.split())
            return taken

        taken = await identity.parts.database.run(system("a person answers a device"), work)
        heading, text = _said(taken=taken, allowed=decision == "allow")
        return await page_for_visit(request, identity, "told", status=200 if taken else 404, heading=heading, text=text)

    return router


def _said(*, taken: bool, allowed: bool) -> tuple[Phrase, Phrase]:
    if not taken:
        return phrase("No device waits"), phrase("The code has ended, or was answered already.")
    heading = phrase("The device is connected") if allowed else phrase("The device was turned away")
    return heading, phrase("You can close this page.")


async def _waiting(identity: Identity, user_code: str) -> Any | None:
    async with identity.parts.database.reading(system("find a device that waits")) as session:
        return await devices.find(session, user_code)

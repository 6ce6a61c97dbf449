"""Whoever lets an application in logs in first: on the service's pages where it has some, else on this plain one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Request, Response

from freehold.errors import Problem
from freehold.identity.entry import FactorRequired
from freehold.identity.login import WrongCredentials
from freehold.identity.provider.tickets import Tickets
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.traffic.limits import QuotaExceeded
from freehold.web import browser
from freehold.web.oauth_page_route import PageRoute
from freehold.web.oauth_pages import leave_for, page
from freehold.web.oauth_wire import provider_of
from freehold.web.unit import Router, allow

LOG_IN = "/oauth/log-in"
DONE = f"{LOG_IN}/done"
_KIND = "log in"


def log_in_first(place: str, identity: Identity, *, answers_to: str | None = None) -> Response:
    """To the log-in page, and from there to a place of ours. answers_to: where that may lead without asking."""
    tickets: Tickets = provider_of(identity).tickets
    sealed = tickets.seal(_KIND, {"place": place, "answers_to": answers_to})
    after = urlencode({"next": sealed})
    if identity.pages is None:
        return leave_for(f"{LOG_IN}?{after}")
    from freehold.web.pages import places  # noqa: PLC0415  # needs an extra that not everybody has

    return leave_for(f"{places.LOG_IN}?{urlencode({'next': f'{DONE}?{after}'})}")


def log_in_router(identity: Identity) -> Router:
    """The page and its form."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    async def shown(request: Request, sealed: str, *, email: str = "", fault: Problem | None = None) -> Response:
        held = provider_of(identity).tickets.open(_KIND, sealed)
        status = 200 if fault is None else fault.status
        return await page(
            request, "log_in", status=status, answers_to=held["answers_to"], action=LOG_IN, sealed=sealed, email=email,
            fault=None if fault is None else _told(fault),
        )  # fmt: skip

    @router.get(LOG_IN)
    async def ask(request: Request) -> Response:
        """The form."""
        return await shown(request, request.query_params.get("next", ""))

    @router.post(LOG_IN)
    async def log_in(
        request: Request,
        sealed: Annotated[str, Form(alias="next")] = "",
        email: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
    ) -> Response:
        """Log in, and go on with what was asked."""
        await browser.require_page(request)
        held = provider_of(identity).tickets.open(_KIND, sealed)
        try:
            session = await browser.log_in(request, email, password)
        except (WrongCredentials, FactorRequired, QuotaExceeded) as fault:
            return await shown(request, sealed, email=email, fault=fault)
        response = leave_for(held["place"])
        browser.set_session(response, session)
        return response

    @router.get(DONE)
    async def done(request: Request) -> Response:
        """A page that goes on by itself: a redirect from the form of a page that does not know where it leads is held."""
        held = provider_of(identity).tickets.open(_KIND, request.query_params.get("next", ""))
        return await page(request, "logged_in", place=held["place"])

    return router


def _told(fault: Problem) -> str:
    if isinstance(fault, QuotaExceeded):
        return f"Too many tries. Wait {fault.headers['Retry-After']} seconds."
    if isinstance(fault, FactorRequired):
        return "This account needs a second factor: log in on the pages of the service, then come back to this one."
    return "E-mail or password is wrong."

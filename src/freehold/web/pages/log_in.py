"""The log-in page and the button that logs out."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.entry import FactorRequired
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web import browser
from freehold.web.pages.forms import Form, refused, typed
from freehold.web.pages.goals import goal_of
from freehold.web.pages.places import LOG_IN, LOG_OUT, PROVIDER, at, leave_for, own_path
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.pages.step_cookie import second_step
from freehold.web.unit import Router, allow

_FIELDS = ("email", "password")


def log_in_router(identity: Identity) -> Router:
    """The form, and what becomes of it."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    async def shown(request: Request, form: Form, wanted: str) -> Response:
        goal = own_path(wanted, otherwise="")
        return await page(
            request,
            "log_in",
            status=form.status,
            form=form,
            next=goal,
            others=_others(identity, request, goal),
            has_links=identity.magic_links is not None,
            scripts=True,
        )

    @router.get(LOG_IN)
    async def ask(request: Request) -> Response:
        """The form."""
        return await shown(request, Form({}), request.query_params.get("next", ""))

    @router.post(LOG_IN)
    async def log_in(request: Request) -> Response:
        """Log in; one answer to whatever is wrong (A01)."""
        values = await typed(request)
        wanted = values.get("next", "")
        try:
            session = await browser.log_in(request, values.get("email", ""), values.get("password", ""))
        except FactorRequired as due:
            return second_step(request, due, wanted)
        except Problem as problem:
            form = refused(values, problem, fields=_FIELDS, secret=("password", "next"))
            return await shown(request, form, wanted)
        response = leave_for(request, goal_of(identity, wanted))
        browser.set_session(response, session)
        return response

    @router.post(LOG_OUT)
    async def log_out(request: Request) -> Response:
        """End the session of this browser."""
        await browser.log_out(request)
        response = leave_for(request, LOG_IN, done="logged-out")
        browser.clear_session(response)
        return response

    return router


def _others(identity: Identity, request: Request, goal: str) -> list[dict[str, str]]:
    """The providers by whom one can log in here, too."""
    if identity.social is None:
        return []
    back = f"{PROVIDER}?{urlencode({'next': goal})}"
    return [
        {"name": each.title, "address": at(request, f"/v1/auth/providers/{quote(each.name)}/login", return_to=back)}
        for each in identity.social.providers.values()
    ]

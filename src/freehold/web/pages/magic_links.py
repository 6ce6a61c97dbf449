"""Ask for a log-in link, and the page that it leads to. Looking at it uses nothing up: the button does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.emails import parse_email
from freehold.identity.entry import FactorRequired
from freehold.identity.magic_links import MagicLinks
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web import browser
from freehold.web.magic_links import ask, asked_by, forget_asked, keep_asked, let_in
from freehold.web.pages.forms import Form, refused, shown, typed
from freehold.web.pages.goals import goal_of
from freehold.web.pages.messages import of_value
from freehold.web.pages.places import LINK, at, leave_for, own_path
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.pages.step_cookie import second_step
from freehold.web.unit import Router, allow
from freehold.wording import phrase


def magic_links_pages(identity: Identity) -> Router:
    """Both, where the service lets people log in by mailed links."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])
    if identity.magic_links is not None:
        _ask(router, identity, identity.magic_links)
        _open(router, identity, identity.magic_links)
    return router


def _ask(router: Router, identity: Identity, links: MagicLinks) -> None:
    async def form_page(request: Request, form: Form, wanted: str) -> Response:
        goal = own_path(wanted, otherwise="")
        return await page(request, "link_ask", status=form.status, form=form, next=goal)

    @router.get(LINK)
    async def asked(request: Request) -> Response:
        """The form."""
        return await form_page(request, Form({}), request.query_params.get("next", ""))

    @router.post(LINK)
    async def send(request: Request) -> Response:
        """Mail a link if the address has an account; the same answer if it has none (A01)."""
        values = await typed(request)
        email, wanted = values.get("email", "").strip(), values.get("next", "")
        try:
            address = parse_email(email)
        except ValueError:
            fault = of_value("email", "value_error", is_there=bool(email))
            return await form_page(request, Form(shown(values), {"email": fault}, 422), wanted)
        try:
            value = await ask(identity, links, request, address, following=own_path(wanted, otherwise=""))
        except Problem as problem:
            return await form_page(request, refused(values, problem, fields=(), secret=("next",)), wanted)
        minutes = int(links.lifetime.total_seconds() // 60)
        text = phrase(
            "If {email} has an account, a link is on its way there. Open it in this browser, within {minutes} minutes.",
            email=address,
            minutes=minutes,
        )
        response = await page(request, "told", heading=phrase("Look into your mail"), text=text)
        keep_asked(response, links, value)
        return response


def _open(router: Router, identity: Identity, links: MagicLinks) -> None:
    path = identity.paths.log_in

    async def button(request: Request, form: Form, token: str, wanted: str) -> Response:
        goal = own_path(wanted, otherwise="")
        is_here = bool(asked_by(request))
        return await page(
            request, "link_open", status=form.status, form=form, token=token, next=goal, is_here=is_here,
            action=at(request, path),
        )  # fmt: skip

    @router.get(path)
    async def asked(request: Request) -> Response:
        """The button."""
        query = request.query_params
        return await button(request, Form({}), query.get("token", ""), query.get("next", ""))

    @router.post(path)
    async def log_in(request: Request) -> Response:
        """Log in, or go on to the second step."""
        values = await typed(request)
        token, wanted = values.get("token", ""), values.get("next", "")
        try:
            session = await let_in(identity, links, request, token)
        except FactorRequired as due:
            response = second_step(request, due, wanted)
        except Problem as problem:
            return await button(request, refused({}, problem, fields=(), secret=()), token, wanted)
        else:
            response = leave_for(request, goal_of(identity, wanted))
            browser.set_session(response, session)
        forget_asked(response)
        return response

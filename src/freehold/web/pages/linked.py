"""Log-ins by other providers: the way back from one, and the page of those that are linked."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import NotFound, Problem
from freehold.identity.entry import FactorRequired
from freehold.identity.service import Identity
from freehold.identity.social import linked
from freehold.identity.social.attempts import Wish
from freehold.identity.social.logins import SocialLogins
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web import browser
from freehold.web.own_account import FRESH_ACCOUNT
from freehold.web.pages.forms import refused, typed
from freehold.web.pages.goals import goal_of
from freehold.web.pages.ids import id_of
from freehold.web.pages.people import person_of
from freehold.web.pages.places import LINKED, LOG_IN, PROVIDER, leave_for
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.pages.step_cookie import second_step
from freehold.web.social import let_in, with_attempt
from freehold.web.unit import Router, allow


def linked_pages(identity: Identity) -> Router:
    """Both, where the service lets people log in by others."""
    router = Router(route_class=PageRoute, include_in_schema=False)
    _return(router, identity)
    _list(router, identity)
    return router


def _return(router: Router, identity: Identity) -> None:
    @router.get(PROVIDER, dependencies=[allow(anyone)])
    async def back(request: Request) -> Response:
        """Where a provider's callback leads: this browser, which alone began it, is let in."""
        wanted = request.query_params.get("next", "")
        if request.query_params.get("login") != "done":
            return leave_for(request, LOG_IN, done="provider-refused", next=wanted)
        try:
            session = await let_in(request, _social(identity))
        except FactorRequired as due:
            return second_step(request, due, wanted)
        except Problem:
            return leave_for(request, LOG_IN, done="provider-refused", next=wanted)
        response = leave_for(request, goal_of(identity, wanted))
        browser.set_session(response, session)
        return response


def _list(router: Router, identity: Identity) -> None:
    async def shown(request: Request, problem: Problem | None = None) -> Response:
        person, social = await person_of(request, identity), _social(identity)
        async with identity.parts.database.reading(system("a user's own identities")) as session:
            rows = [_row(row, social) for row in await linked.listed(session, person.id)]
        form = None if problem is None else refused({}, problem, fields=(), secret=())
        providers = [{"name": each.name, "title": each.title} for each in social.providers.values()]
        return await section(
            request, identity, "linked", here=LINKED, form=form, person=person, rows=rows, providers=providers
        )

    @router.get(LINKED, dependencies=[allow(FRESH_ACCOUNT)])
    async def listed(request: Request) -> Response:
        """The list."""
        return await shown(request)

    @router.post(LINKED, dependencies=[allow(FRESH_ACCOUNT)])
    async def link(request: Request) -> Response:
        """Begin to link one: the browser goes to the provider."""
        person, name = await person_of(request, identity), (await typed(request)).get("provider", "")
        wish = Wish(LINKED, user_id=person.id, session_id=person.caller.session_id)
        begun = await _social(identity).begin(name, wish)
        title = _social(identity).providers[name].title
        # A link and no redirect: browsers hold where a form leads against `form-action`, which names this site alone.
        response = await section(request, identity, "leave", here=LINKED, person=person, address=begun.url, title=title)
        return with_attempt(response, begun)

    @router.post(f"{LINKED}/removal", dependencies=[allow(FRESH_ACCOUNT)])
    async def unlink(request: Request) -> Response:
        """Take one away; the last way in stays."""
        person, wanted = await person_of(request, identity), id_of((await typed(request)).get("identity", ""))

        async def work(unit: Unit) -> None:
            await _social(identity).unlink(unit.session, person.id, wanted)

        try:
            await identity.parts.database.run(system("a user's own identities"), work)
        except Problem as problem:
            return await shown(request, problem)
        return leave_for(request, LINKED, done="unlinked")


def _social(identity: Identity) -> SocialLogins:
    if identity.social is None:
        raise NotFound
    return identity.social


def _row(row: Any, social: SocialLogins) -> dict[str, Any]:
    provider = social.providers.get(row.provider)
    title = row.provider if provider is None else provider.title
    return {"id": row.id, "title": title, "email": row.email, "created_at": row.created_at}

"""`/oauth/log-out`: a client asks for the end of the browser's log-in (OpenID Connect RP-Initiated Logout)."""

from __future__ import annotations

from fastapi import Request, Response

from freehold.identity.provider import Client, discovery
from freehold.identity.provider.codes import Visit
from freehold.identity.provider.faults import OAuthError, RequestIncomplete
from freehold.identity.provider.id_tokens import Hint
from freehold.identity.provider.redirects import with_parameters
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.web import browser
from freehold.web.oauth_page_route import FormOfOthers, ProviderPage
from freehold.web.oauth_visit import leave_for_client, page_for_visit, visit_of
from freehold.web.oauth_wire import provider_of, single
from freehold.web.pages import places
from freehold.web.pages.forms import typed
from freehold.web.unit import Router, allow

CONFIRMATION = "/oauth/log-out/confirmation"
_KIND = "log out"
_WANTED = "post_logout_redirect_uri"


def log_out_router(identity: Identity) -> Router:
    """The endpoint, and the page that asks where nothing proves who is asking."""
    router = Router(route_class=ProviderPage, include_in_schema=False, dependencies=[allow(anyone)])
    forms = Router(route_class=FormOfOthers, include_in_schema=False, dependencies=[allow(anyone)])

    @router.get(discovery.LOG_OUT)
    async def log_out(request: Request) -> Response:
        """End the log-in, after a question where no ID token says whose it is (O14)."""
        return await _asked(request, identity, _given(request))

    @forms.post(discovery.LOG_OUT)
    async def log_out_by_form(request: Request) -> Response:
        """The same by a form. A page of others sends it without our cookie: the question comes with the GET."""
        query = (await request.body()).decode("ascii", "ignore")
        return places.leave_for(request, f"{discovery.LOG_OUT}?{query}")

    @router.post(CONFIRMATION)
    async def confirm(request: Request) -> Response:
        """The person has said yes."""
        asked = provider_of(identity).tickets.open(_KIND, (await typed(request)).get("ticket", ""))
        return await _end(request, identity, await visit_of(request), await _goal(identity, asked))

    router.include_router(forms)
    return router


def _given(request: Request) -> dict[str, str]:
    try:
        return single(request.query_params.multi_items())
    except OAuthError:
        raise RequestIncomplete from None


async def _asked(request: Request, identity: Identity, given: dict[str, str]) -> Response:
    parts, visit = provider_of(identity), await visit_of(request)
    hint = await parts.id_tokens.hint(given.get("id_token_hint", ""))
    if hint is not None and given.get("client_id", str(hint.client_id)) != str(hint.client_id):
        hint = None
    asked = {name: given[name] for name in ("client_id", _WANTED, "state") if name in given}
    if hint is not None:
        asked["client_id"] = str(hint.client_id)
    goal = await _goal(identity, asked)
    if visit is None or _is_about(hint, visit):
        return await _end(request, identity, visit, goal)
    ticket = parts.tickets.seal(_KIND, asked)
    return await page_for_visit(request, identity, "log_out", answers_to=goal, action=CONFIRMATION, ticket=ticket)


def _is_about(hint: Hint | None, visit: Visit) -> bool:
    """Whether the ID token was given for this very log-in, or one of the same person."""
    return hint is not None and hint.user_id == visit.user_id and hint.login_id in (None, visit.login_id)


async def _goal(identity: Identity, asked: dict[str, str]) -> str | None:
    """Where to go afterwards: only to an address that is registered at this moment for the client that asks."""
    wanted, parts = asked.get(_WANTED), provider_of(identity)
    if wanted is None:
        return None
    async with identity.parts.database.reading(system("find an OAuth client")) as session:
        client: Client | None = await parts.clients.find(session, asked.get("client_id", ""))
    if client is None or wanted not in client.post_logout_redirect_uris:
        return None
    return with_parameters(wanted, {"state": asked["state"]}) if "state" in asked else wanted


async def _end(request: Request, identity: Identity, visit: Visit | None, goal: str | None) -> Response:
    if visit is not None:
        login_id, sessions = visit.login_id, identity.parts.sessions
        await identity.parts.database.run(
            system("a person logs out of applications"),
            lambda unit: sessions.end(unit.session, login_id, by="logout"),
        )
    at_home = places.leave_for(request, places.LOG_IN, done="logged-out")
    response = at_home if goal is None else leave_for_client(goal)
    browser.clear_session(response)
    return response

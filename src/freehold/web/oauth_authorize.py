"""`/oauth/authorize`: from a client's request to a person's answer (RFC 6749 4.1, OpenID Connect Core 3.1.2).

A request is checked and sealed into a ticket; the pages carry the ticket, and nothing is written down before the person
has agreed.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response

from freehold.identity.provider import Client, ProviderParts, codes, consents, discovery, pushed, requests
from freehold.identity.provider.codes import Visit
from freehold.identity.provider.faults import (
    ClientUnknown,
    NotPushed,
    OAuthError,
    RequestIncomplete,
    RequestOver,
    invalid_request,
)
from freehold.identity.provider.redirects import with_parameters
from freehold.identity.provider.requests import AuthorizationRequest
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.oauth_log_in import log_in_first
from freehold.web.oauth_page_route import FormOfOthers, ProviderPage
from freehold.web.oauth_visit import leave_for_client, page_for_visit, visit_of
from freehold.web.oauth_wire import provider_of, single
from freehold.web.pages import places
from freehold.web.pages.messages import of_scope
from freehold.web.unit import Router, allow

CONSENT = "/oauth/consent"
KIND = "authorize"


def authorize_router(identity: Identity) -> Router:
    """The endpoint, and the consent page."""
    router = Router(route_class=ProviderPage, include_in_schema=False, dependencies=[allow(anyone)])
    forms = Router(route_class=FormOfOthers, include_in_schema=False, dependencies=[allow(anyone)])

    @router.get(discovery.AUTHORIZE)
    async def authorize(request: Request) -> Response:
        """Ask a person for access."""
        return await _begin(request, identity, list(request.query_params.multi_items()))

    @forms.post(discovery.AUTHORIZE)
    async def authorize_by_form(request: Request) -> Response:
        """The same by a form (OpenID Connect Core 3.1.2.1): it changes nothing yet."""
        query = (await request.body()).decode("ascii", "ignore")
        return places.leave_for(request, f"{discovery.AUTHORIZE}?{query}")

    @router.get(CONSENT)
    async def consent(request: Request, ticket: str = "") -> Response:
        """Go on with a request: log in, ask, or answer."""
        return await _go_on(request, identity, await _asked(identity, ticket), ticket)

    @router.post(CONSENT)
    async def decide(
        request: Request, ticket: Annotated[str, Form()] = "", decision: Annotated[str, Form()] = ""
    ) -> Response:
        """Take the person's answer."""
        parts = provider_of(identity)
        asked, visit = await _asked(identity, ticket), await visit_of(request)
        if visit is None or not asked.is_fresh_enough(visit.authenticated_at):
            return log_in_first(request, f"{CONSENT}?ticket={ticket}")
        if decision != "allow":
            return _answered(parts, asked, {"error": "access_denied", "error_description": "The person has said no."})
        return await _allow(identity, asked, visit, remembers=True)

    router.include_router(forms)
    return router


async def _begin(request: Request, identity: Identity, pairs: list[tuple[str, str]]) -> Response:
    parts, repeated = provider_of(identity), False
    try:
        given = single(pairs)
    except OAuthError:
        given, repeated = dict(pairs), True
        if any([name for name, _ in pairs].count(name) > 1 for name in ("client_id", "redirect_uri", "request_uri")):
            raise RequestIncomplete from None
    client = await _client(identity, given.get("client_id", ""))
    given = await _pushed(identity, client, given)
    address = requests.redirect_uri_of(given, client)
    try:
        if repeated:
            raise invalid_request("A parameter is given twice.")
        asked = requests.read(given, client, scopes=parts.scopes)
    except OAuthError as error:
        said = {"error": error.error, "error_description": error.description}
        return leave_for_client(with_parameters(address, _with_state(parts, said, given.get("state"))))
    ticket = parts.tickets.seal(KIND, asked.as_dict())
    return await _go_on(request, identity, asked, ticket)


async def _client(identity: Identity, client_id: str) -> Client:
    async with identity.parts.database.reading(system("find an OAuth client")) as session:
        client = await provider_of(identity).clients.find(session, client_id)
    if client is None:
        raise ClientUnknown
    return client


async def _pushed(identity: Identity, client: Client, given: dict[str, str]) -> dict[str, str]:
    """The parameters: those that the client pushed, or those in the open where it may send them so (O12)."""
    uri = given.get("request_uri", "")
    if not uri.startswith(pushed.PREFIX):
        if client.requires_pushed:
            raise NotPushed
        return given
    found = await identity.parts.database.run(
        system("use a pushed request"), lambda unit: pushed.take(unit.session, uri, client.id)
    )
    if found is None:
        raise RequestOver
    return found


async def _go_on(request: Request, identity: Identity, asked: AuthorizationRequest, ticket: str) -> Response:
    parts, visit = provider_of(identity), await visit_of(request)
    silent = "none" in asked.prompt
    if visit is None or not asked.is_fresh_enough(visit.authenticated_at):
        if silent:
            return _answered(parts, asked, {"error": "login_required", "error_description": "Nobody is logged in."})
        return log_in_first(request, f"{CONSENT}?ticket={ticket}")
    async with identity.parts.database.reading(system("what somebody has allowed")) as session:
        client = await parts.clients.find(session, asked.client_id)
        allowed = await consents.given(session, visit.user_id, asked.client_uuid)
    if client is None:
        raise ClientUnknown
    # RFC 8252 8.6: nobody can tell that a public client is the one that was allowed before.
    if not client.is_public and allowed >= set(asked.scope) and "consent" not in asked.prompt:
        return await _allow(identity, asked, visit, remembers=False)
    if silent:
        return _answered(parts, asked, {"error": "consent_required", "error_description": "The person has to agree."})
    sentences = [of_scope(name, parts.sentences) for name in parts.scopes if name in asked.scope]
    return await page_for_visit(
        request,
        identity,
        "consent",
        answers_to=asked.redirect_uri,
        client=client.name,
        sentences=sentences,
        ticket=ticket,
        action=CONSENT,
        address=asked.redirect_uri.partition("?")[0],
    )


async def _allow(identity: Identity, asked: AuthorizationRequest, visit: Visit, *, remembers: bool) -> Response:
    async def work(unit: Unit) -> str:
        if remembers:
            await consents.give(unit.session, visit.user_id, asked.client_uuid, asked.scope)
        return await codes.issue(unit.session, asked, visit)

    code = await identity.parts.database.run(system("a person lets a client in"), work)
    return _answered(provider_of(identity), asked, {"code": code})


async def _asked(identity: Identity, ticket: str) -> AuthorizationRequest:
    """What a ticket asks for, of a client that is there still: nothing is sent to one that was removed meanwhile (O02)."""
    asked = AuthorizationRequest.of_dict(provider_of(identity).tickets.open(KIND, ticket))
    await _client(identity, asked.client_id)
    return asked


def _answered(parts: ProviderParts, asked: AuthorizationRequest, said: dict[str, str]) -> Response:
    return leave_for_client(with_parameters(asked.redirect_uri, _with_state(parts, said, asked.state)))


def _with_state(parts: ProviderParts, said: dict[str, str], state: str | None) -> dict[str, str]:
    """With `state` as it came, and the issuer (RFC 9207), so that an answer is not taken for another server's."""
    return {**said, **({} if state is None else {"state": state}), "iss": parts.issuer}

"""What clients ask themselves: tokens, their state and end, pushed requests, device codes."""

from __future__ import annotations

from fastapi import Request, Response

from freehold.identity.provider import devices, discovery, pushed, requests
from freehold.identity.provider.clients import DEVICE
from freehold.identity.provider.faults import (
    AddressUnknown,
    OAuthError,
    invalid_client,
    invalid_request,
    unauthorized_client,
)
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.web.oauth_wire import OAuthRoute, answer, client_of, form_of, proved_key, provider_of
from freehold.web.unit import Router, allow


def token_router(identity: Identity) -> Router:
    """The endpoints that take a client's proof."""
    router = Router(route_class=OAuthRoute, include_in_schema=False, dependencies=[allow(anyone)])
    for add in (_token, _states, _pushed, _devices):
        add(router, identity)
    return router


def _token(router: Router, identity: Identity) -> None:
    @router.post(discovery.TOKEN)
    async def token(request: Request) -> Response:
        """Give tokens for a grant (RFC 6749 3.2)."""
        parts, form = provider_of(identity), await form_of(request)
        client = await client_of(request, parts, form)
        key_thumbprint = await proved_key(request, parts, identity.parts.database)
        given = await parts.exchange(client, form, key_thumbprint=key_thumbprint)
        return answer(given, headers={} if parts.nonces is None else {"DPoP-Nonce": parts.nonces.current()})


def _states(router: Router, identity: Identity) -> None:
    @router.post(discovery.INTROSPECTION)
    async def introspect(request: Request) -> Response:
        """Say what a token is worth (RFC 7662), to a client that can prove itself."""
        parts, form = provider_of(identity), await form_of(request)
        client = await client_of(request, parts, form)
        if client.is_public:
            raise invalid_client()
        async with identity.parts.database.reading(system("introspect a token")) as session:
            return answer(await parts.tokens_at_hand.described(session, client, _token_in(form)))

    @router.post(discovery.REVOCATION)
    async def revoke(request: Request) -> Response:
        """End what is behind a token (RFC 7009)."""
        parts, form = provider_of(identity), await form_of(request)
        client, token = await client_of(request, parts, form), _token_in(form)
        await identity.parts.database.run(
            system("a client gives a token back"),
            lambda unit: parts.tokens_at_hand.revoke(unit.session, client, token),
        )
        return answer({})


def _pushed(router: Router, identity: Identity) -> None:
    @router.post(discovery.PUSHED)
    async def push(request: Request) -> Response:
        """Take an authorization request from the client itself (RFC 9126)."""
        parts, form = provider_of(identity), await form_of(request)
        client = await client_of(request, parts, form)
        asked = requests.known(form) | {"client_id": str(client.id)}
        try:
            requests.redirect_uri_of(asked, client)
        except AddressUnknown:
            raise invalid_request("redirect_uri is not registered for this client.") from None
        key_thumbprint = await proved_key(request, parts, identity.parts.database)
        if key_thumbprint is not None and asked.setdefault("dpop_jkt", key_thumbprint) != key_thumbprint:
            raise invalid_request("dpop_jkt is not the key of the proof.")
        requests.read(asked, client, scopes=parts.scopes)
        uri = await identity.parts.database.run(
            system("keep a pushed request"), lambda unit: pushed.push(unit.session, client.id, asked)
        )
        return answer({"request_uri": uri, "expires_in": int(pushed.LIFETIME.total_seconds())}, status=201)


def _devices(router: Router, identity: Identity) -> None:
    @router.post(discovery.DEVICE)
    async def begin(request: Request) -> Response:
        """Begin for a device that has no browser (RFC 8628 3.1)."""
        parts, form = provider_of(identity), await form_of(request)
        client = await client_of(request, parts, form)
        if DEVICE not in client.grants:
            raise unauthorized_client("The client may not use the device grant.")
        scope = requests.scope_of(form.get("scope"), client, scopes=parts.scopes)
        begun = await identity.parts.database.run(
            system("a device waits"), lambda unit: devices.begin(unit.session, client.id, scope)
        )
        page = parts.issuer + discovery.VERIFICATION
        return answer(
            {
                "device_code": begun.device_code,
                "user_code": begun.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={begun.user_code}",
                "expires_in": int(devices.LIFETIME.total_seconds()),
                "interval": devices.INTERVAL_SECONDS,
            }
        )


def _token_in(form: dict[str, str]) -> str:
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing.")
    return form["token"]

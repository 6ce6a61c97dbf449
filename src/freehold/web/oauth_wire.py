"""What the provider's endpoints share: forms in, OAuth's own answers out (RFC 6749 3 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.provider import Client, ProviderParts, proofs
from freehold.identity.provider.faults import OAuthError, invalid_request
from freehold.identity.provider.once import is_first
from freehold.identity.provider.proofs import NonceWanted, Proof, ProofRefused
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.web.execution import caller_address
from freehold.web.oauth_quota import count_address, count_client

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM = "application/x-www-form-urlencoded"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OAuthRoute(APIRoute):
    """A route whose refusals are OAuth's. It looks at no log-in: who asks here is a client, and proves it itself.

    Counted by address before anything else, and by client once that has proved itself (`client_of`).
    """

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                await count_address(request, self.path)
                return await handler(request)
            except OAuthError as error:
                return refusal(error)

        return handle


def provider_of(identity: Identity) -> ProviderParts:
    """The provider's parts, where there is one."""
    found = identity.parts.provider
    assert found is not None, "routes of a provider are made for an identity that has one"
    return found


def answer(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    return Response(
        orjson.dumps(dict(body)), status, headers={**NO_STORE, **(headers or {})}, media_type="application/json"
    )


def refusal(error: OAuthError) -> Response:
    """RFC 6749 5.2."""
    body = {"error": error.error, "error_description": error.description}
    return answer(body, status=error.status, headers=error.headers)


def single(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Parameters by name; one without a value counts as left out. Raises OAuthError for one given twice (RFC 6749 3.1)."""
    found: dict[str, str] = {}
    names: set[str] = set()
    for name, value in pairs:
        if name in names:
            raise invalid_request("A parameter is given twice.")
        names.add(name)
        if isinstance(value, str) and value:
            found[name] = value
    return found


async def form_of(request: Request) -> dict[str, str]:
    """The form that a client has sent. Raises OAuthError for what is none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM:
        raise invalid_request(f"Send a form ({FORM}).")
    return single((await request.form()).multi_items())


async def client_of(request: Request, parts: ProviderParts, form: Mapping[str, str]) -> Client:
    """The client that asks, which has proved itself. Raises OAuthError, QuotaExceeded."""
    authorization = request.headers.getlist("authorization")
    client = await parts.authentication(authorization, form, address=caller_address(request))
    await count_client(request, client, parts)
    return client


async def proved_key(request: Request, parts: ProviderParts, database: Database) -> str | None:
    """The thumbprint of the key that a DPoP proof of this request shows; None without one. Raises OAuthError."""
    given = request.headers.getlist("dpop")
    if not given:
        return None
    url, sent = parts.issuer + request.url.path, given[0] if len(given) == 1 else ""
    try:
        proof = proofs.verify(sent, method=request.method, url=url, nonces=parts.nonces)
    except NonceWanted as wanted:
        headers = {"DPoP-Nonce": wanted.nonce}
        raise OAuthError("use_dpop_nonce", "Put the nonce of DPoP-Nonce into the proof.", headers=headers) from None
    except ProofRefused:
        raise OAuthError("invalid_dpop_proof", "The DPoP proof is not good.") from None
    if not await is_new(database, proof):
        raise OAuthError("invalid_dpop_proof", "The DPoP proof is not good.")
    return proof.key_thumbprint


async def is_new(database: Database, proof: Proof) -> bool:
    """Whether the proof comes for the first time; it is used up."""
    return await database.run(
        system("a proof works once"),
        lambda unit: is_first(unit.session, "proof", proof.key_thumbprint, proof.jti, until=proof.until),
    )

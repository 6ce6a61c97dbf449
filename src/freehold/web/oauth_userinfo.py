"""Who the person is, to a client that may know: `/oauth/userinfo`; and what the provider says of itself."""

from typing import Any

from fastapi import Response

from freehold.identity.provider import discovery
from freehold.identity.provider.scopes import CLAIMS, claims_of
from freehold.identity.service import Identity
from freehold.resource.access import anyone, scope, signed_in
from freehold.web.identity_parts import known_id
from freehold.web.oauth_wire import answer, provider_of
from freehold.web.unit import Caller, Db, Router, allow

METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def userinfo_router(identity: Identity) -> Router:
    """Userinfo (OpenID Connect Core 5.3) and the metadata."""
    router = Router(include_in_schema=False)

    async def userinfo(db: Db, caller: Caller) -> Response:
        """The claims of the scopes that the token carries; all of them for the service's own."""
        async with db.unscoped("what a client may know of a person") as everything:
            user = await identity.parts.accounts.get(everything, known_id(caller))
            return answer(claims_of(user, CLAIMS if caller.scopes is None else caller.scopes))

    router.add_api_route(
        discovery.USERINFO, userinfo, methods=["GET", "POST"], dependencies=[allow(signed_in & scope("openid"))]
    )

    async def metadata() -> dict[str, Any]:
        """The provider's metadata."""
        parts = provider_of(identity)
        return discovery.document(parts.issuer, scopes=parts.scopes)

    for path in METADATA:
        router.add_api_route(path, metadata, methods=["GET"], dependencies=[allow(anyone)])
    return router

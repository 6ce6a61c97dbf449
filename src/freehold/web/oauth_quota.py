"""How often the provider may be asked: by an address before anything is looked at, by a client once it has proved itself.

Who asks here is no caller yet, so that the quotas of operations (`admission.enter`) do not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from freehold.identity.throttle import digest
from freehold.traffic.limits import address_key, take
from freehold.web.browser import identity_of
from freehold.web.execution import caller_address

if TYPE_CHECKING:
    from freehold.identity.provider import Client, ProviderParts


async def count_address(request: Request, path: str) -> None:
    """Count a request of an address, for each endpoint apart, as `/v1/auth` does. Raises QuotaExceeded."""
    operation = path.strip("/").replace("/", "-")
    request.state.fh_oauth_operation = operation
    await identity_of(request).parts.throttle.admit_address(operation, address=caller_address(request))


async def count_client(request: Request, client: Client, parts: ProviderParts) -> None:
    """Count a request of a known client by quotas of its own, in place of that of everybody at its address. Raises QuotaExceeded.

    One that has proved itself is counted wherever its servers stand. A public client proves nothing: whoever names it is
    counted with their address, so that nobody uses up anything of others, and people behind one address have room; however
    many clients somebody names, an address has a bound.
    """
    throttle, operation = identity_of(request).parts.throttle, request.state.fh_oauth_operation
    address = caller_address(request)
    await throttle.give_back_address(operation, address=address)
    if not client.is_public:
        await take(throttle.limiter, [("oauth-client-requests", str(client.id), parts.quota)])
        return
    where = address_key(address)
    counted = [
        ("oauth-public-client", digest(str(client.id), where), parts.public_quota),
        ("oauth-public-address", where, parts.public_bound),
    ]
    await take(throttle.limiter, counted)

"""How often the provider may be asked: by an address before anything is looked at, by a client once it has proved itself.

Who asks here is no caller yet, so that the quotas of operations (`admission.enter`) do not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from freehold.traffic.limits import take
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
    """Count a request of a client that has proved itself by its own quota, wherever its servers stand. Raises QuotaExceeded.

    A public client proves nothing: whoever names it is counted by address, and cannot use up anything of others.
    """
    if client.is_public:
        return
    throttle, operation = identity_of(request).parts.throttle, request.state.fh_oauth_operation
    await throttle.give_back_address(operation, address=caller_address(request))
    await take(throttle.limiter, [("oauth-client-requests", str(client.id), parts.quota)])

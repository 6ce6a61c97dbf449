"""The route class of the provider's pages: what a person may see of a refusal is a page, not JSON."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.provider.faults import OAuthError, PageError
from freehold.traffic.limits import QuotaExceeded
from freehold.web.oauth_pages import error_page
from freehold.web.oauth_quota import count_address
from freehold.web.oauth_wire import Handler


class PageRoute(APIRoute):
    """A page. It opens its units itself: looking at a page writes nothing. Counted by address, as a log-in is."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                await count_address(request, self.path)
                if request.method == "POST":
                    await request.body()  # kept by the request: the token against forgery is read from it, too
                return await handler(request)
            except PageError as error:
                return await error_page(request, str(error))
            except OAuthError as error:
                return await error_page(request, error.description)
            except QuotaExceeded as refusal:
                message = f"Too many tries. Wait {refusal.headers['Retry-After']} seconds."
                response = await error_page(request, message, status=refusal.status)
                response.headers.update(refusal.headers)
                return response

        return handle

"""The route class of the provider's pages: what a person may see of a refusal is a page, not JSON."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.provider.faults import OAuthError, PageError
from freehold.web.oauth_pages import error_page
from freehold.web.oauth_wire import Handler


class PageRoute(APIRoute):
    """A page. It opens its units itself: looking at a page writes nothing."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if request.method == "POST":
                    await request.body()  # kept by the request: the token against forgery is read from it, too
                return await handler(request)
            except PageError as error:
                return await error_page(request, str(error))
            except OAuthError as error:
                return await error_page(request, error.description)

        return handle

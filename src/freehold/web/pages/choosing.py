"""The language that somebody would rather read, chosen at the foot of a page before there is an account to keep it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web.pages.forms import typed
from freehold.web.pages.languages import keep
from freehold.web.pages.places import LANGUAGE, LOG_IN, leave_for, own_path
from freehold.web.pages.route import PageRoute
from freehold.web.unit import Router, allow


def language_router(_identity: Identity) -> Router:
    """The buttons at the foot."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    @router.post(LANGUAGE)
    async def choose(request: Request) -> Response:
        """Keep the choice, and show the page again."""
        values = await typed(request)
        response = leave_for(request, own_path(values.get("next", ""), otherwise=LOG_IN))
        keep(response, values.get("language", ""))
        return response

    return router

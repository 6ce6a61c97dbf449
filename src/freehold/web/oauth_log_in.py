"""Whoever lets an application in logs in first, on the service's own page for it."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request, Response

from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web.oauth_page_route import ProviderPage
from freehold.web.pages import places
from freehold.web.pages.goals import goal_of
from freehold.web.pages.rendering import page
from freehold.web.unit import Router, allow

DONE = "/oauth/log-in/done"


def log_in_first(request: Request, place: str) -> Response:
    """To the log-in page, and from there to a place of the provider."""
    return places.leave_for(request, places.LOG_IN, next=f"{DONE}?{urlencode({'next': place})}")


def log_in_router(identity: Identity) -> Router:
    """The page between the log-in and what it was for."""
    router = Router(route_class=ProviderPage, include_in_schema=False, dependencies=[allow(anyone)])

    @router.get(DONE)
    async def done(request: Request) -> Response:
        """Go on by itself. Browsers hold a redirect to an application against the `form-action` of the log-in page."""
        return await page(request, "going_on", place=goal_of(identity, request.query_params.get("next", "")))

    return router

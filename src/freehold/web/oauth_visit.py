"""The person at the browser, as the pages of the provider see them: by session cookie alone, and who they are by now."""

from __future__ import annotations

from starlette.requests import Request

from freehold.identity.provider.codes import Visit
from freehold.web import browser
from freehold.web.guard import principal_of


async def visit_of(request: Request) -> Visit | None:
    """Who is logged in with this browser; None for nobody, or somebody with another credential."""
    if browser.SESSION_COOKIE not in request.cookies:
        return None
    caller = await principal_of(request)
    if caller.id is None or caller.session_id is None or caller.authenticated_at is None:
        return None
    return Visit(caller.id, caller.session_id, caller.authenticated_at)

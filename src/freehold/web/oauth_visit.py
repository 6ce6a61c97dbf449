"""The person at the browser, as the pages of the provider see them: by session cookie alone, and who they are by now."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from freehold.identity.provider.codes import Visit
from freehold.identity.service import Identity
from freehold.web import browser
from freehold.web.guard import principal_of
from freehold.web.pages.people import person_of
from freehold.web.pages.rendering import page


async def visit_of(request: Request) -> Visit | None:
    """Who is logged in with this browser; None for nobody, or somebody with another credential."""
    if browser.SESSION_COOKIE not in request.cookies:
        return None
    caller = await principal_of(request)
    if caller.id is None or caller.session_id is None or caller.authenticated_at is None:
        return None
    return Visit(caller.id, caller.session_id, caller.authenticated_at)


async def page_for_visit(request: Request, identity: Identity, name: str, **values: Any) -> Response:
    """A page for whoever is logged in, in the language that they read; see `rendering.page`."""
    return await page(request, name, person=await person_of(request, identity), **values)


def leave_for_client(address: str) -> Response:
    """Send the browser to an application, with GET whatever it came with (303), and without a trace of this address."""
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

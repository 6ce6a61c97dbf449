"""The pages of the provider: server-rendered, without scripts, and every one of them guarded alike (O15).

They extend `oauth_templates/base.html`. A page is never framed, never kept, and tells no other site where it was.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from freehold.identity.provider.redirects import origin
from freehold.web import browser

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def _templates() -> Environment:
    loader = PackageLoader("freehold.web", "oauth_templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


async def page(
    request: Request, name: str, *, status: int = 200, answers_to: str | None = None, **values: Any
) -> Response:
    """A page with a CSRF token for its form.

    answers_to: the address that the form's answer may lead to: browsers hold a redirect after a form against the page's
    `form-action`.
    """
    values["csrf_token"] = await browser.csrf_token(request)
    values["service"] = request.app.title
    body = _templates().get_template(f"{name}.html").render(values)
    targets = "'self'" if answers_to is None else f"'self' {origin(answers_to)}"
    policy = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action {targets}; "
        "frame-ancestors 'none'"
    )
    response = HTMLResponse(body, status, headers={**_HEADERS, "Content-Security-Policy": policy})
    browser.keep_visitor(request, response)
    return response


async def error_page(request: Request, message: str, *, status: int = 400) -> Response:
    """What went wrong, to the person: nothing is sent anywhere."""
    return await page(request, "error", status=status, message=message)


def leave_for(address: str) -> Response:
    """Send the browser on, with GET whatever it came with (303), and without a trace of this address."""
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

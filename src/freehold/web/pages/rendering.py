"""From a template to an answer that cannot be framed, kept, or read by another site (O15)."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from freehold.identity.pages import Pages
from freehold.identity.provider.redirects import origin
from freehold.web import browser
from freehold.web.pages import places
from freehold.web.pages.assets import asset
from freehold.web.pages.forms import Form
from freehold.web.pages.languages import choices, words_for
from freehold.web.pages.messages import notice

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def environment() -> Environment:
    """The templates. A page of another package extends `base.html` by a loader of its own."""
    loader = PackageLoader("freehold.web.pages", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


async def page(
    request: Request,
    name: str,
    *,
    status: int = 200,
    form: Form | None = None,
    scripts: bool = False,
    answers_to: str | None = None,
    **values: Any,
) -> Response:
    """A page in the language of its reader, with a CSRF token for its forms. scripts: it has a button for passkeys.

    answers_to: the address of an application that the answer to a form may lead to.
    """
    shown = await context(request, form=form, **values)
    shown["scripts"] = scripts
    body = environment().get_template(f"{name}.html").render(shown)
    response = HTMLResponse(
        body, status, headers={**HEADERS, "Content-Security-Policy": policy(scripts=scripts, answers_to=answers_to)}
    )
    response.headers["Content-Language"] = shown["language"]
    response.headers["Vary"] = "Accept-Language, Cookie"
    browser.keep_visitor(request, response)
    return response


def policy(*, scripts: bool, answers_to: str | None = None) -> str:
    """The Content-Security-Policy. Browsers hold a redirect after a form against the page's `form-action`. Pictures may stand in the page itself: the QR code of a secret is fetched from nowhere."""
    running = "script-src 'self'; connect-src 'self'; " if scripts else ""
    leads = "'self'" if answers_to is None else f"'self' {origin(answers_to)}"
    return (
        f"default-src 'none'; {running}style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action {leads}; "
        "frame-ancestors 'none'"
    )


async def context(request: Request, *, form: Form | None = None, **values: Any) -> dict[str, Any]:
    """What every template may use."""
    identity = browser.identity_of(request)
    shown: Pages = identity.pages or Pages()
    words = words_for(request)
    return {
        "csrf_token": await browser.csrf_token(request),
        "service": identity.parts.policy.service_name,
        "language": words.language,
        # A page that answers a form is not at an address that one can come back to.
        "languages": choices(request) if request.method == "GET" else [],
        "say": words.say,
        "phrase": words.phrase,
        "day": words.day,
        "at": lambda path, **query: places.at(request, path, **query),
        "places": places,
        "asset": lambda name: places.at(request, asset(name, shown.color)),
        "form": form or Form({}),
        "notice": notice(request.query_params.get("done", "")),
        "is_signed_in": request.scope["state"].get("fh_session_value") is not None,
        "here_again": places.here(request),
        "sections": [],
        **values,
    }

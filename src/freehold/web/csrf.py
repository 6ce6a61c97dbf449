"""Whether a request that changes something by cookie came from a page of this service (C03).

Three things are looked at: what the browser says of the sender (`Sec-Fetch-Site`, `Origin`), and a token that only a page
of this service can know, in `X-CSRF-Token` or in the form field `csrf_token`. The first two refuse; the token is always
needed. The method alone decides, as it was sent: override headers mean nothing here.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from freehold.errors import Forbidden
from freehold.identity.csrf import CsrfTokens

TOKEN_HEADER = "x-csrf-token"  # noqa: S105 (a header's name)
TOKEN_FIELD = "csrf_token"  # noqa: S105 (a field's name)
# A form is read for its token up to this length; a larger one (an upload) brings the token in the header.
LONGEST_FORM = 1024 * 1024
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ForgedRequest(Forbidden):
    """A change by cookie that no page of this service asked for: no CSRF token, another session's, or a foreign origin."""

    code, title = "auth.forged_request", "The request did not come from a page of this service"


async def require_own_page(connection: HTTPConnection, *, tokens: CsrfTokens, value: str, public_url: str) -> None:
    """Raise ForgedRequest unless a page of this service sent the request. value: of the cookie that the token belongs to.

    A WebSocket cannot carry a token: there the Origin has to be there, and ours.
    """
    require_own_origin(connection, public_url=public_url)
    if connection.scope["type"] == "websocket":
        if "origin" not in connection.headers:
            raise ForgedRequest("A WebSocket with a cookie needs an Origin.")
        return
    if not tokens.is_good(await _token(connection), value):
        raise ForgedRequest("The CSRF token is missing, or of another session.")


def require_own_origin(connection: HTTPConnection, *, public_url: str) -> None:
    """Raise ForgedRequest where the browser says that a page of another origin sent the request."""
    site = connection.headers.get("sec-fetch-site", "same-origin").strip().lower()
    if site not in ("same-origin", "none"):
        raise ForgedRequest("The request came from a page of another site.")
    origin = connection.headers.get("origin")
    # A form of a page with `Referrer-Policy: no-referrer` is sent with the origin `null` (Fetch, "append a request Origin
    # header"); that it is ours the browser says in the other field, which no page can set.
    if origin == "null" and connection.headers.get("sec-fetch-site") == "same-origin":
        return
    if origin is not None and origin.strip().lower() not in _own_origins(connection, public_url):
        raise ForgedRequest("The request came from a page of another origin.")


def _own_origins(connection: HTTPConnection, public_url: str) -> set[str]:
    """The public one, and the one that this request was sent to: a browser sets both fields, and no page can forge them."""
    public, sent_to = urlsplit(public_url), connection.url
    secure = {"ws": "http", "wss": "https"}.get(sent_to.scheme, sent_to.scheme)
    return {f"{public.scheme}://{public.netloc}".lower(), f"{secure}://{sent_to.netloc}".lower()}


async def _token(connection: HTTPConnection) -> str:
    """The token as it was sent; empty where there is none, or more than one."""
    sent = connection.headers.getlist(TOKEN_HEADER)
    if not sent and isinstance(connection, Request) and _is_short_form(connection):
        if connection._form is None:  # noqa: SLF001 (a route of FastAPI's has read it by now, and nobody can twice)
            await connection.body()  # kept by the request, so that the operation can read it again
        sent = [str(value) for value in (await connection.form()).getlist(TOKEN_FIELD)]
    return sent[0] if len(sent) == 1 else ""


def _is_short_form(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "")
    return media in _FORMS and length.isascii() and length.isdigit() and int(length) <= LONGEST_FORM

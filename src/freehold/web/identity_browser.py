"""`/v1/auth/browser-session`: log in and out by cookie, for the scripts of a page."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field, SecretStr

from freehold.errors import BadRequest
from freehold.identity.browser_sessions import BrowserSession
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web import browser
from freehold.web.guard import principal_of
from freehold.web.identity_parts import OwnUnitRoute, below_auth
from freehold.web.unit import Router, allow

PATH = "/browser-session"
NO_STORE = {"Cache-Control": "no-store"}
_LONGEST_EMAIL = 320


class BrowserLogIn(BaseModel, extra="forbid"):
    """What a person types."""

    email: str = Field(max_length=_LONGEST_EMAIL, examples=["ada@example.com"])
    password: SecretStr


class BrowserSessionRead(BaseModel):
    """Who is logged in with this browser. csrf_token: for the header X-CSRF-Token of what changes something."""

    is_signed_in: bool
    user_id: UUID | None = None
    csrf_token: str


class BrowserEnrolledRead(BrowserSessionRead):
    """A log-in that has set up its first second factor. recovery_codes: shown this once."""

    recovery_codes: list[str]


def browser_router(_identity: Identity) -> Router:
    """Every operation of a browser's session, below `/v1/auth`."""
    router = below_auth(route_class=OwnUnitRoute)

    @router.get(
        PATH, operation_id="get_browser_session", response_model=BrowserSessionRead, dependencies=[allow(anyone)]
    )
    async def read(request: Request) -> Response:
        """Who is logged in with this browser, and a CSRF token: the first thing that a page asks for."""
        caller = await principal_of(request)
        token = await browser.csrf_token(request)
        shown = BrowserSessionRead(is_signed_in=caller.id is not None, user_id=caller.id, csrf_token=token)
        response = _answer(shown)
        browser.keep_visitor(request, response)
        return response

    @router.post(
        PATH,
        operation_id="create_browser_session",
        status_code=201,
        response_model=BrowserSessionRead,
        dependencies=[allow(anyone)],
    )
    async def log_in(request: Request, given: BrowserLogIn) -> Response:
        """Log in: the answer sets the session cookie. A CSRF token of this browser's visit is needed here too."""
        await require_browser(request)
        session = await browser.log_in(request, given.email, given.password.get_secret_value())
        return opened_session(request, session)

    @router.delete(PATH, operation_id="end_browser_session", status_code=204, dependencies=[allow(anyone)])
    async def log_out(request: Request) -> Response:
        """Log out: the session ends and its cookie goes. Without a session there is nothing to do."""
        _require_no_header(request)
        await principal_of(request)  # judges where the request came from
        await browser.log_out(request)
        response = Response(status_code=204, headers=NO_STORE)
        browser.clear_session(response)
        return response

    return router


def opened_session(
    request: Request, session: BrowserSession, *, status: int = 201, recovery_codes: Sequence[str] = ()
) -> Response:
    """The answer to a log-in, with its cookie, and a token for what comes next."""
    token = browser.identity_of(request).parts.csrf.token_for(session.value)
    shown = BrowserSessionRead(is_signed_in=True, user_id=session.user_id, csrf_token=token)
    if recovery_codes:
        shown = BrowserEnrolledRead(**shown.model_dump(), recovery_codes=list(recovery_codes))
    headers = {"Location": f"/v1/auth{PATH}"} if status == 201 else None
    response = _answer(shown, status=status, headers=headers)
    browser.set_session(response, session)
    return response


def _answer(shown: BrowserSessionRead, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    body = shown.model_dump_json().encode()
    return Response(body, status, headers={**NO_STORE, **(headers or {})}, media_type="application/json")


async def require_browser(request: Request) -> None:
    """Raise BadRequest, ForgedRequest unless a page of ours sent a log-in by cookie, and no bearer token with it."""
    _require_no_header(request)
    await browser.require_page(request)


def _require_no_header(request: Request) -> None:
    """A session is opened and ended by its own browser, which has no bearer token (C04)."""
    if "authorization" in request.headers:
        raise BadRequest("Log in by cookie without an Authorization header.", code="auth.several_credentials")

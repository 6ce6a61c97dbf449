"""`/v1/auth/providers`: log in by another provider."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

import json
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import Row

from freehold.identity.authentication import FEDERATED, Authentication
from freehold.identity.browser_sessions import BrowserSession
from freehold.identity.entry import FactorRequired
from freehold.identity.service import Identity
from freehold.identity.sessions import TokenAnswer
from freehold.identity.social import AttemptUnknown
from freehold.identity.social.attempts import LIFETIME, Wish
from freehold.identity.social.logins import Begun, SocialLogins
from freehold.resource.access import anyone
from freehold.store.unit import Unit
from freehold.web import browser
from freehold.web.cookies import take_cookie
from freehold.web.csrf import require_own_origin
from freehold.web.identity_browser import BrowserSessionRead, opened_session
from freehold.web.identity_parts import OwnUnitRoute, below_auth, device_of
from freehold.web.identity_tokens import NO_STORE, TokenRead, token_answer
from freehold.web.unit import Router, allow

COOKIE = "__Host-fh_login"
_LONGEST_COOKIE = 128
_MOST_CHARACTERS = 8_000


class ProviderRead(BaseModel):
    """Somebody by whom one can log in. title: for `Log in with …`."""

    name: str
    title: str


class ProviderList(BaseModel):
    """All of them; there is one page."""

    items: list[ProviderRead]
    next_cursor: str | None = None


class AttemptWrite(BaseModel, extra="forbid"):
    """return_to: a path on this site. registration: further fields of an account, should there be none yet."""

    return_to: str = Field(default="/", max_length=2_000, examples=["/app"])
    registration: dict[str, Any] | None = Field(default=None, max_length=32)

    @field_validator("registration")
    @classmethod
    def _is_small(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        """It is kept until the browser comes back, for whoever asks: nobody is to fill the disk with it."""
        if given is not None and len(json.dumps(given)) > _MOST_CHARACTERS:
            raise ValueError(f"at most {_MOST_CHARACTERS} characters of JSON")
        return given


class AttemptRead(BaseModel):
    """Where the browser goes now."""

    url: str


def providers_router(identity: Identity, social: SocialLogins) -> Router:
    """Every operation, below `/v1/auth`."""
    router = below_auth("/providers", route_class=OwnUnitRoute)

    @router.get("", operation_id="list_providers", dependencies=[allow(anyone)])
    async def listed() -> ProviderList:
        """By whom one can log in here."""
        return ProviderList(
            items=[ProviderRead(name=each.name, title=each.title) for each in social.providers.values()]
        )

    @router.post(
        "/{name}/attempts", operation_id="begin_login", response_model=AttemptRead, dependencies=[allow(anyone)]
    )
    async def begin(name: str, request: Request, wanted: AttemptWrite) -> Response:
        """Begin a log-in: send the browser to `url`. It comes back to `return_to` with `login=done`, or `login_error`."""
        await identity.parts.throttle.admit_address("provider", address=device_of(request).address)
        wish = Wish(wanted.return_to, registration=wanted.registration)
        return begun_answer(await social.begin(name, wish))

    @router.get("/{name}/login", include_in_schema=False, dependencies=[allow(anyone)])
    async def go(name: str, request: Request, return_to: str = "/") -> Response:
        """Begin a log-in from a link of a page: the same, as a redirect."""
        await identity.parts.throttle.admit_address("provider", address=device_of(request).address)
        begun = await social.begin(name, Wish(return_to))
        return with_attempt(Response(status_code=303, headers={**NO_STORE, "Location": begun.url}), begun)

    @router.post("/token", operation_id="redeem_login", response_model=TokenRead, dependencies=[allow(anyone)])
    async def redeem(request: Request) -> Response:
        """The tokens of a log-in that this browser has just finished, within a minute and once."""
        await identity.parts.throttle.admit_address("provider", address=device_of(request).address)
        require_own_origin(request, public_url=identity.parts.tokens.issuer)

        async def opens(unit: Unit, user: Row[Any]) -> TokenAnswer | FactorRequired:
            return await identity.parts.entry.enter(
                unit.session, user, authentication=_proof(), scope=None, device=device_of(request)
            )

        response = token_answer(await social.redeem(_browser(request), opens))
        _forget(response)
        return response

    @router.post(
        "/session",
        operation_id="redeem_login_by_cookie",
        status_code=201,
        response_model=BrowserSessionRead,
        dependencies=[allow(anyone)],
    )
    async def redeem_by_cookie(request: Request) -> Response:
        """The same, for pages: the answer sets the session cookie. A CSRF token of this browser's visit is needed here too."""
        await identity.parts.throttle.admit_address("provider", address=device_of(request).address)
        await browser.require_page(request)
        response = opened_session(request, await let_in(request, social))
        _forget(response)
        return response

    @router.get("/{name}/callback", include_in_schema=False, dependencies=[allow(anyone)])
    async def callback(name: str, request: Request) -> Response:
        """Where the provider sends the browser back to. What it does not know it ignores, as OAuth wants."""
        await identity.parts.throttle.admit_address("provider", address=device_of(request).address)
        parameters = dict(request.query_params.multi_items())
        if len(parameters) != len(request.query_params.multi_items()):
            raise AttemptUnknown("A parameter is given twice.")
        path = await social.finish(name, parameters, browser=_browser(request))
        headers = {**NO_STORE, "Location": path, "Referrer-Policy": "no-referrer"}
        return Response(status_code=303, headers=headers)

    return router


def begun_answer(begun: Begun) -> Response:
    """Where the browser goes, and its cookie."""
    body = AttemptRead(url=begun.url).model_dump_json()
    return with_attempt(Response(body, headers=NO_STORE, media_type="application/json"), begun)


def with_attempt(response: Response, begun: Begun) -> Response:
    """An answer that begins a log-in: with the cookie that belongs to it."""
    # Lax: it has to come along when the provider sends the browser back, and with no request of another site's script.
    response.set_cookie(
        COOKIE,
        begun.browser,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


async def let_in(request: Request, social: SocialLogins) -> BrowserSession:
    """Open a session for whom this browser was granted to; `browser.set_session` hands it over.

    Raises AttemptUnknown, FactorRequired. For pages of one's own, too.
    """
    entry = browser.identity_of(request).parts.entry

    async def opens(unit: Unit, user: Row[Any]) -> BrowserSession | FactorRequired:
        due = await entry.demand(unit.session, user, authentication=_proof())
        return due or await browser.open_session(request, unit, user.id, authentication=_proof())

    return await social.redeem(_browser(request), opens)


def _proof() -> Authentication:
    return Authentication.by(FEDERATED)


def _browser(request: Request) -> str:
    return request.cookies.get(COOKIE, "")[:_LONGEST_COOKIE]


def _forget(response: Response) -> None:
    take_cookie(response, COOKIE)

"""`/v1/auth/magic-links`: log in by a link that is mailed, in the browser that asked for it."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from freehold.errors import Problem
from freehold.identity.authentication import LINK, Authentication
from freehold.identity.browser_sessions import BrowserSession
from freehold.identity.emails import Email, email_key, login_key
from freehold.identity.entry import FactorRequired
from freehold.identity.magic_links import MagicLinks
from freehold.identity.magic_links.links import binding, new_browser
from freehold.identity.returning import FRONT_PAGE, return_path
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web import browser
from freehold.web.cookies import take_cookie
from freehold.web.csrf import require_own_origin
from freehold.web.identity_browser import BrowserSessionRead, opened_session, require_browser
from freehold.web.identity_parts import below_auth, device_of, retry_of
from freehold.web.identity_tokens import NO_STORE, TokenRead, token_answer, token_route
from freehold.web.unit import Router, allow

COOKIE = "__Host-fh_link"
_LONGEST_COOKIE = 128


class LinkWish(BaseModel, extra="forbid"):
    """return_to: a path on this site, which the link carries along as `next`."""

    email: Email
    return_to: str = Field(default="", max_length=2_000, examples=["/app"])


class LinkProof(BaseModel, extra="forbid"):
    """The token of the link. browser_session: log in by cookie, as `/v1/auth/browser-session` does, and not by tokens."""

    token: str = Field(max_length=256)
    browser_session: bool = False


def magic_links_router(identity: Identity, links: MagicLinks) -> Router:
    """Both operations, below `/v1/auth`."""
    route_class = token_route(identity, sent_with=lambda request: asked_by(request).encode())
    router = below_auth("/magic-links", route_class=route_class)

    @router.post(
        "",
        operation_id="send_magic_link",
        status_code=202,
        response_model=dict[str, str],
        dependencies=[allow(anyone)],
    )
    async def send(request: Request, wish: LinkWish) -> Response:
        """Mail a link that logs in, if the address has an account; the answer is the same when it has none.

        The cookie of the answer belongs to the link: it works in this browser alone. A retry sends another link, and the
        newest is the one that counts.
        """
        require_own_origin(request, public_url=identity.parts.tokens.issuer)
        value = await ask(identity, links, request, wish.email, following=wish.return_to)
        response = Response(b"{}", 202, headers=NO_STORE, media_type="application/json")
        keep_asked(response, links, value)
        return response

    @router.post(
        "/confirmation",
        operation_id="redeem_magic_link",
        response_model=TokenRead | BrowserSessionRead,
        dependencies=[allow(anyone)],
    )
    async def redeem(request: Request, sent: LinkProof) -> Response:
        """Log in by the token of a link that this browser has asked for. A second factor is asked for as ever."""
        if sent.browser_session:
            await require_browser(request)
            response = opened_session(request, await let_in(identity, links, request, sent.token))
        else:
            require_own_origin(request, public_url=identity.parts.tokens.issuer)
            response = await _tokens(identity, links, request, sent.token)
        forget_asked(response)
        return response

    return router


async def ask(identity: Identity, links: MagicLinks, request: Request, email: str, *, following: str = "") -> str:
    """Have a link mailed if the address has an account; what `keep_asked` hands to the browser. Raises QuotaExceeded."""
    parts, value = identity.parts, new_browser()
    address = device_of(request).address
    await parts.throttle.admit("magic-link", address=address, person=login_key(email))
    await parts.throttle.admit_letter("magic-link", recipient=email_key(email), address=address)
    path = return_path(following)

    async def work(unit: Unit) -> None:
        # The look-up is a job's, so that neither answer nor time tells whether there is an account (A01).
        await links.job.enqueue(
            unit.session,
            email_key=email_key(email),
            browser=binding(value),
            following="" if path == FRONT_PAGE else path,
        )

    await parts.database.run(system("log-in by a link"), work)
    return value


async def let_in(identity: Identity, links: MagicLinks, request: Request, token: str) -> BrowserSession:
    """Open a session for whom the link was mailed to. Raises Invalid, FactorRequired, QuotaExceeded."""
    entry = identity.parts.entry

    async def opens(unit: Unit, user: Any) -> BrowserSession | FactorRequired:
        due = await entry.demand(unit.session, user, authentication=_proof())
        return due or await browser.open_session(request, unit, user.id, authentication=_proof())

    await _admit(identity, request, token)
    return await links.log_in.to_open(token, opens, browser=asked_by(request), device=device_of(request))


def asked_by(request: Request) -> str:
    """The value of the browser that asked; empty in any other."""
    return request.cookies.get(COOKIE, "")[:_LONGEST_COOKIE]


def keep_asked(response: Response, links: MagicLinks, value: str) -> None:
    """Hand the browser what its link belongs to."""
    # Lax: the page that a link leads to, from a page of mail, is to know whether this is the browser that asked.
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(links.lifetime.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )


def forget_asked(response: Response) -> None:
    """The link is used."""
    take_cookie(response, COOKIE)


async def _tokens(identity: Identity, links: MagicLinks, request: Request, token: str) -> Response:
    device = device_of(request)

    async def opens(unit: Unit, user: Any) -> Response | Problem:
        answer = await identity.parts.entry.enter(
            unit.session, user, authentication=_proof(), scope=None, device=device
        )
        return answer if isinstance(answer, Problem) else await retry_of(request).settle(unit, token_answer(answer))

    await _admit(identity, request, token)
    return await links.log_in.to_open(token, opens, browser=asked_by(request), device=device)


async def _admit(identity: Identity, request: Request, token: str) -> None:
    await identity.parts.throttle.admit("magic-link-opened", address=device_of(request).address, person=token)


def _proof() -> Authentication:
    return Authentication.by(LINK)

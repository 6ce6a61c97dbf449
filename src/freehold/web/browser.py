"""Log-ins by cookie, for pages: the cookies, the CSRF token, logging in and out.

The names that pages and other ways to log in (a provider, a passkey, a link) use, each with the request at hand:

    csrf_token(request)            for a hidden field `csrf_token`, or the header X-CSRF-Token of a script
    require_page(request)          raises ForgedRequest unless a page of ours sent it; for what is public, as a log-in is
    log_in(request, email, pw)     verifies the password and opens a session; raises WrongCredentials, FactorRequired
    open_session(request, unit, id, authentication=…)   opens one for a user who was proved otherwise, in a unit at hand
    renew_session(request, unit, authentication=…)      another value: after a second factor, a change of rights
    log_out(request)               ends this browser's session
    set_session(response, session), clear_session(response), keep_visitor(request, response)   write the cookies

`principal_of(request)` (`freehold.web.guard`) says who is logged in, by whatever credential. A change by cookie is
judged there already: only what needs no log-in asks `require_page` itself.

Both cookies are `__Host-`, Secure, HttpOnly, SameSite=Lax, Path=/, under plain http in development too: browsers take
`http://localhost` and `http://127.0.0.1` for secure contexts (docs/how-to/browser-sessions.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, select
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from freehold.errors import ConfigurationError
from freehold.identity.authentication import PASSWORD, Authentication
from freehold.identity.browser_sessions import BrowserSession
from freehold.identity.entry import FactorRequired
from freehold.identity.login import WrongCredentials
from freehold.identity.service import Identity
from freehold.resource.principal import ANONYMOUS, Principal, system
from freehold.store.audit import record
from freehold.web.cookies import take_cookie
from freehold.web.csrf import require_own_page
from freehold.web.identity_parts import device_of
from freehold.web.runtime import runtime

if TYPE_CHECKING:
    from freehold.store.unit import Unit

SESSION_COOKIE = "__Host-fh_session"
VISITOR_COOKIE = "__Host-fh_visitor"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SessionCookie:
    """The reader of session cookies (`freehold.web.credentials`)."""

    source = "Cookie"

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    def is_given(self, connection: HTTPConnection) -> bool:
        """See `CredentialReader`."""
        return SESSION_COOKIE in connection.cookies

    async def read(self, connection: HTTPConnection) -> Principal:
        """The caller. A cookie that opens nothing (any more) is nobody's: browsers send it long after its end."""
        parts, value = self.identity.parts, connection.cookies[SESSION_COOKIE]
        found = await parts.browser_sessions.find(value)
        if found is None:
            return ANONYMOUS
        if connection.scope.get("method") not in _SAFE:
            await require_own_page(connection, tokens=parts.csrf, value=value, public_url=parts.tokens.issuer)
        connection.scope["state"]["fh_session_value"] = value
        return found


def identity_of(request: HTTPConnection) -> Identity:
    """The identity of the application that serves this request."""
    for reader in runtime(request).credentials.readers:
        if isinstance(reader, SessionCookie):
            return reader.identity
    raise ConfigurationError("this application reads no session cookies: give it an Identity")


async def csrf_token(request: Request) -> str:
    """A token for this browser: of its session, or of its visit where nobody is logged in. See `keep_visitor`."""
    value = await _session_value(request) or _visitor(request)
    return identity_of(request).parts.csrf.token_for(value)


async def require_page(request: Request) -> None:
    """Raise ForgedRequest unless a page of this service sent the request, also where nobody is logged in."""
    parts = identity_of(request).parts
    value = await _session_value(request) or _visitor(request)
    await require_own_page(request, tokens=parts.csrf, value=value, public_url=parts.tokens.issuer)


async def log_in(request: Request, email: str, password: str) -> BrowserSession:
    """Verify the password and open a session, in a unit of its own; this browser's former one ends.

    Raises WrongCredentials, FactorRequired, QuotaExceeded, Unavailable.
    """
    former, parts = await _session_value(request), identity_of(request).parts

    async def opens(unit: Unit, user: Row[Any]) -> BrowserSession | FactorRequired:
        proof = Authentication.by(PASSWORD)
        due = await parts.entry.demand(unit.session, user, authentication=proof)
        return due or await _open(request, unit, user, former, proof)

    return await parts.log_in.to_open(opens, email, password, device=device_of(request))


async def open_session(
    request: Request,
    unit: Unit,
    user_id: UUID,
    *,
    authentication: Authentication,
    scope: frozenset[str] | None = None,
) -> BrowserSession:
    """Open a session in the unit for a user who has been proved otherwise; this browser's former one ends.

    scope: what the log-in is good for; None: everything.
    Does not ask for a second factor: `parts.entry.demand` does. Raises WrongCredentials for an account that is closed.
    """
    identity = identity_of(request)
    table = identity.user.__table__  # type: ignore[attr-defined]
    query = select(table.c.id, table.c.roles).where(table.c.id == user_id, table.c.is_active)
    user = (await unit.session.execute(query.with_for_update())).first()
    if user is None:
        raise WrongCredentials("The account is closed.")
    return await _open(request, unit, user, await _session_value(request), authentication, scope=scope)


async def renew_session(
    request: Request, unit: Unit, *, authentication: Authentication | None = None
) -> BrowserSession | None:
    """Another value for the session of this request; None where it came without one. Its cookie has to be set.

    authentication: what its owner has just proved, for instance by a second factor.
    """
    value = await _session_value(request)
    if value is None:
        return None
    sessions = identity_of(request).parts.browser_sessions
    return await sessions.renew(unit.session, value, authentication=authentication)


async def log_out(request: Request) -> None:
    """End this browser's session, in a unit of its own."""
    value, parts = await _session_value(request), identity_of(request).parts
    if value is not None:
        await parts.database.run(system("log-out"), lambda unit: parts.browser_sessions.end(unit.session, value))


def set_session(response: Response, session: BrowserSession) -> None:
    """Hand the session to the browser. The cookie ends with the browser; the server ends it before that."""
    _set(response, SESSION_COOKIE, session.value)


def clear_session(response: Response) -> None:
    """Take the session cookie from the browser."""
    take_cookie(response, SESSION_COOKIE)


def keep_visitor(request: Request, response: Response) -> None:
    """Set the cookie that `csrf_token` bound its token to, where the browser has it not yet."""
    fresh = request.scope["state"].get("fh_visitor")
    if fresh is not None:
        _set(response, VISITOR_COOKIE, fresh)


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="lax")
    response.headers["Cache-Control"] = "no-store"


async def _open(
    request: Request,
    unit: Unit,
    user: Any,
    former: str | None,
    proof: Authentication,
    *,
    scope: frozenset[str] | None = None,
) -> BrowserSession:
    sessions = identity_of(request).parts.browser_sessions
    if former is not None:
        await sessions.end(unit.session, former)
    said = {"amr": sorted(proof.amr)}
    await record(unit.session, "user.login", subject_type="user", subject_id=user.id, after=said)
    return await sessions.open(unit.session, user, device=device_of(request), authentication=proof, scope=scope)


async def _session_value(request: Request) -> str | None:
    """The value of this browser's session, where it has one that is good."""
    value = request.cookies.get(SESSION_COOKIE)
    if value is None:
        return None
    state = request.scope.setdefault("state", {})
    if state.get("fh_session_value") == value:
        return value
    found = await identity_of(request).parts.browser_sessions.find(value)
    return None if found is None else value


def _visitor(request: Request) -> str:
    """The value that this browser visits under, made where it has none of ours."""
    state = request.scope.setdefault("state", {})
    value: str = state.get("fh_visitor") or request.cookies.get(VISITOR_COOKIE, "")
    tokens = identity_of(request).parts.csrf
    if not tokens.is_visitor(value):
        value = state["fh_visitor"] = tokens.new_visitor()
    return value

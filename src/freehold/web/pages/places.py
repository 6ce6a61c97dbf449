"""Where a page may send the browser: paths of this service, and nowhere else (L05, OWASP Unvalidated Redirects)."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from freehold.identity.returning import return_path
from freehold.web.addresses import root_of

ROOT = "/account"
LOG_IN = f"{ROOT}/log-in"
FACTOR = f"{LOG_IN}/factor"
ENROLMENT = f"{LOG_IN}/enrolment"
LINK = f"{LOG_IN}/link"
PROVIDER = f"{LOG_IN}/provider"
LOG_OUT = f"{ROOT}/log-out"
REGISTRATION = f"{ROOT}/registration"
VERIFICATION = f"{ROOT}/verification"
RESET = f"{ROOT}/password-reset"
CONFIRM = f"{ROOT}/confirm"
EMAIL = f"{ROOT}/email"
PASSWORD = f"{ROOT}/password"
SECURITY = f"{ROOT}/security"
SESSIONS = f"{ROOT}/sessions"
API_KEYS = f"{ROOT}/api-keys"
LINKED = f"{ROOT}/linked-log-ins"
CONSENTS = f"{ROOT}/consents"
DATA = f"{ROOT}/data"
LANGUAGE = f"{ROOT}/language"
ASSETS = f"{ROOT}/assets"

# What an application asks for travels along while somebody logs in; a request line may have 8 KiB.
_LONGEST = 6000


def own_path(wanted: str, *, otherwise: str) -> str:
    """`wanted` where it is a path of this service, else `otherwise`."""
    return return_path(wanted, otherwise=otherwise, longest=_LONGEST)


def at(request: Request, path: str, **query: str) -> str:
    """An address of this service for a link: below the prefix that it is mounted under, if any."""
    root = root_of(request.scope)
    return f"{root}{path}" + (f"?{urlencode(query)}" if query else "")


def leave_for(request: Request, path: str, **query: str) -> Response:
    """Send the browser on, with GET whatever it came with (303)."""
    return RedirectResponse(at(request, path, **query), 303, headers={"Cache-Control": "no-store"})


def here(request: Request) -> str:
    """The page of this request, or the one that its form stands on, without the prefix that all is mounted under."""
    path = request.url.path.removeprefix(root_of(request.scope))
    if request.method == "GET":
        return path + (f"?{request.url.query}" if request.url.query else "")
    return "/".join(path.split("/")[:3])

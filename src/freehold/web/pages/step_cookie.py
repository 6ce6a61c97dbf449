"""The cookie of a log-in between its first step and its second."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.entry import FactorRequired
from freehold.web.cookies import take_cookie
from freehold.web.pages.places import ENROLMENT, FACTOR, leave_for, own_path

STEP_COOKIE = "__Host-fh_step"


def step_of(request: Request) -> str:
    """The step token of this browser; empty where there is none."""
    return request.cookies.get(STEP_COOKIE, "")


def set_step(response: Response, token: str, *, seconds: int) -> None:
    """Keep the step token for as long as it is good. Strict: the step begins and ends on pages of this site."""
    response.set_cookie(
        STEP_COOKIE,
        token,
        max_age=seconds,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def second_step(request: Request, due: FactorRequired, wanted: str) -> Response:
    """On to the page where what is due is proved, or set up where the account has none and has to have one."""
    place = ENROLMENT if due.extra["enrolment"] else FACTOR
    goal = own_path(wanted, otherwise="")
    response = leave_for(request, place, **({"next": goal} if goal else {}))
    set_step(response, str(due.extra["step_token"]), seconds=int(due.extra["expires_in"]))
    return response


def clear_step(response: Response) -> None:
    """The step is over."""
    take_cookie(response, STEP_COOKIE, samesite="strict")

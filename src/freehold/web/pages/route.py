"""The route class of pages: who is there, where the form came from, and refusals as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import InsufficientAuthentication, Problem
from freehold.resource.access import Rule, anyone
from freehold.resource.principal import Principal
from freehold.web import browser
from freehold.web.admission import enter
from freehold.web.adoption import as_included
from freehold.web.browser import SESSION_COOKIE
from freehold.web.guard import require
from freehold.web.pages.messages import of_problem
from freehold.web.pages.places import CONFIRM, LOG_IN, here, leave_for
from freehold.web.pages.rendering import page
from freehold.web.unit import rule_of
from freehold.wording import Phrase, phrase

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class LogInFirst(Exception):  # no fault: the browser is sent to the log-in page
    """Nobody is logged in with this browser."""


class PageRoute(APIRoute):
    """A page. It opens its units itself, around the hashing of passwords and never during it."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler."""
        handler = super().get_route_handler()
        declared = rule_of(as_included(self))
        rule = anyone if declared is None else declared

        async def handle(request: Request) -> Response:
            try:
                await self.admit(request, rule)
                return await handler(request)
            except LogInFirst:
                return leave_for(request, LOG_IN, next=here(request))
            except InsufficientAuthentication:
                return leave_for(request, CONFIRM, next=here(request))
            except Problem as problem:
                return await refusal(request, problem)

        return handle

    async def admit(self, request: Request, rule: Rule) -> None:
        """Let a request in, or raise.

        Every form needs its token and a sender of our own, also where nobody is logged in (C03). A page with a rule needs
        a log-in by cookie: a bearer token opens no pages.
        """
        if request.method == "POST":
            await request.body()  # kept by the request: the token against forgery is read from it, too
        caller = await enter(request, anyone)
        if request.method == "POST":
            await browser.require_page(request)
        _let_in(request, caller, rule)


async def refusal(request: Request, problem: Problem) -> Response:
    """A refusal as a page, with its status."""
    request.scope.setdefault("state", {})["problem"] = problem.problem_code
    response = await page(request, "refused", status=problem.status, said=_said(problem))
    # Browsers ask for a password of their own where a page has a challenge.
    response.headers.update({name: said for name, said in problem.headers.items() if name != "WWW-Authenticate"})
    return response


def _let_in(request: Request, caller: Principal, rule: Rule) -> None:
    if rule == anyone:
        return
    if caller.id is None or caller.session_id is None or SESSION_COOKIE not in request.cookies:
        raise LogInFirst
    require(rule, caller)


def _said(problem: Problem) -> Phrase | str:
    if problem.status >= 500:
        return phrase("Something went wrong here. Try again in a moment.")
    seconds = int(problem.headers.get("Retry-After", "0"))
    return of_problem(problem.problem_code, problem.detail or problem.title, seconds=seconds)

"""Path operations of one's own, inside the unit of work.

`Router` is FastAPI's, with a route class that judges the caller, opens the session and commits before the answer::

    router = Router(prefix="/v1/reports", tags=["reports"])

    @router.get("/sales", dependencies=[allow(role("admin"))])
    async def sales(db: Db) -> SalesRead: ...

A GET reads; POST, PUT, PATCH and DELETE get one unit of work each and honour Idempotency-Key. A returned status of
400 or more rolls back as an exception does. Streaming answers are read before they are sent and cannot be retried by
key; generator endpoints get no session.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from freehold.errors import ConfigurationError
from freehold.resource.access import Rule
from freehold.resource.principal import Principal
from freehold.store.session import Session
from freehold.store.unit import Unit
from freehold.web import body as request_body
from freehold.web.execution import Writing, execute, request_key
from freehold.web.guard import principal_of, require
from freehold.web.runtime import runtime

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_session: ContextVar[Session | None] = ContextVar("fh_session", default=None)


class Allow:
    """The access rule of a path operation; made by `allow`."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    async def __call__(self) -> None:
        """Judged by the route before any dependency runs; as a dependency it only marks the route."""


def allow(rule: Rule) -> Any:
    """The dependency that says who may call a path operation: `dependencies=[allow(signed_in)]`.

    Only what a rule says of the caller is judged; rules about rows belong to a Resource. Without it the start fails.
    """
    if any(type(atom).__name__ in {"Owner", "Where"} for atom in rule.atoms()):
        raise ConfigurationError(f"allow({rule.describe()}): a path operation has no row; use role, scope, signed_in")
    return Depends(Allow(rule))


def rule_of(route: APIRoute) -> Rule | None:
    """The declared rule of a route, from its own dependencies or its router's."""
    for dependency in route.dependencies:
        if isinstance(dependency.dependency, Allow):
            return dependency.dependency.rule
    found = [each.call.rule for each in route.dependant.dependencies if isinstance(each.call, Allow)]
    return found[0] if found else None


def current_session() -> Session:
    """The session of the unit at hand. Raises RuntimeError outside a path operation of a `Router`."""
    session = _session.get()
    if session is None:
        raise RuntimeError("Db is there only in path operations of a freehold Router (route class UnitRoute)")
    return session


async def _current_session() -> Session:
    return current_session()


async def _current_principal(request: Request) -> Principal:
    return await principal_of(request)


Db = Annotated[Session, Depends(_current_session)]
Caller = Annotated[Principal, Depends(_current_principal)]


class UnitRouteMixin(APIRoute):
    """Puts a route class of FastAPI's kind inside the unit of work (docs/decisions: one commit before the first byte)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler: guard, session, handler, commit, answer."""
        if inspect.isasyncgenfunction(self.endpoint) or inspect.isgeneratorfunction(self.endpoint):
            raise ConfigurationError(
                f"{self.path}: a generator endpoint cannot be inside a unit of work; put it on a plain APIRouter"
            )
        handler = super().get_route_handler()
        rule = rule_of(self)

        async def handle(request: Request) -> Response:
            if not hasattr(request.app.state, "freehold"):
                return await handler(request)  # a router shared with an application that Freehold is not installed in
            body = b"" if request.method in SAFE else await request.body()
            if body and self.body_field is not None and _is_json(request):
                request_body.parse(body)
            request_key(request)
            principal = await principal_of(request)
            if rule is not None:
                require(rule, principal)
            if request.method in SAFE:
                return await _read(request, principal, handler)

            async def work(unit: Unit) -> Response:
                return await _with_session(unit.session, handler, request)

            return await execute(request, principal, body, Writing(work))

        return handle


async def _read(request: Request, principal: Principal, handler: Callable[[Request], Any]) -> Response:
    async with runtime(request).database.reading(principal) as session:
        return await _with_session(session, handler, request)


async def _with_session(session: Session, handler: Callable[[Request], Any], request: Request) -> Response:
    token = _session.set(session)
    try:
        response: Response = await handler(request)
        return response
    finally:
        _session.reset(token)


class UnitRoute(UnitRouteMixin):
    """A FastAPI route inside the unit of work."""


def _is_json(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")


class Router(APIRouter):
    """FastAPI's router whose operations run inside the unit of work; each needs `allow(rule)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("route_class", UnitRoute)
        kwargs.setdefault("redirect_slashes", False)
        super().__init__(*args, **kwargs)

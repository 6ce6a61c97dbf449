"""Path operations of one's own, inside the unit of work.

`Router` is FastAPI's, with a route class that judges the caller, opens the session and commits before the answer::

    router = Router(prefix="/v1/reports", tags=["reports"])

    @router.get("/sales", dependencies=[allow(role("admin"))])
    async def sales(db: Db) -> SalesRead: ...

A GET reads, by a session that is opened where it asks for one; POST, PUT, PATCH and DELETE get one unit of work each and honour Idempotency-Key. A returned status of
400 or more rolls back as an exception does. Streaming answers are read before they are sent and cannot be retried by
key; generator endpoints get no session.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from functools import reduce
from operator import and_
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.responses import Response

from freehold.errors import ConfigurationError
from freehold.resource.access import Rule, anyone
from freehold.resource.caching import Cache
from freehold.resource.principal import Principal
from freehold.resource.quotas import Quotas
from freehold.store.session import Session
from freehold.store.unit import Unit
from freehold.traffic.policy import Policy, own_policy
from freehold.web import adoption
from freehold.web import body as request_body
from freehold.web.admission import enter, under
from freehold.web.execution import Writing, execute, request_key
from freehold.web.guard import principal_of, require
from freehold.web.remembering import Load, Remembered
from freehold.web.runtime import runtime, runtime_if_any
from freehold.web.viewing import viewed

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_session: ContextVar[Callable[[], Awaitable[Session]] | None] = ContextVar("fh_session", default=None)
"""Gives the session of the unit at hand."""


_UNSAID: Final[Mapping[str, Any]] = {"quota": (), "cost": 1, "at_once": None, "at_once_each": None}


class Allow:
    """What a path operation declares: its access rule, its limits, whether its answers are kept. Made by `allow`."""

    def __init__(self, rule: Rule, limits: Mapping[str, Any] | None = None, cache: Cache | None = None) -> None:
        self.rule = rule
        self.limits = limits or {}
        self.cache = cache

    async def __call__(self, connection: HTTPConnection) -> None:
        """Judge the caller, unless the route has by this rule alone before any dependency ran.

        FastAPI's own routes do not: those on an application itself, those added after `install`, websockets, streams.
        """
        judged = connection.scope.setdefault("state", {}).get("fh_rule")
        if judged is not self.rule and self.rule != anyone:
            require(self.rule, await principal_of(connection))

    @classmethod
    def together(cls, marks: Sequence[Self]) -> Allow:
        """Several of one operation, the outermost first: all rules hold, and of the rest what was said last."""
        if len(marks) == 1:
            return marks[0]
        closed = [mark.rule for mark in marks if mark.rule != anyone]
        limits = {name: said for mark in marks for name, said in mark.limits.items()}
        kept = [mark.cache for mark in marks if mark.cache is not None]
        return Allow(reduce(and_, closed) if closed else anyone, limits, kept[-1] if kept else None)

    @property
    def is_more_than_a_rule(self) -> bool:
        """Whether there are limits or kept answers, which a route of `Router` keeps and others do not."""
        return self.cache is not None or not self.policy("").is_nothing

    def policy(self, operation: str) -> Policy:
        """The limits, under the names of an operation."""
        return own_policy(operation, **self.limits)


def allow(
    rule: Rule,
    *,
    quota: Quotas = (),
    cost: int = 1,
    at_once: int | None = None,
    at_once_each: int | None = None,
    cache: Cache | None = None,
) -> Any:
    """The dependency that says who may call a path operation: `dependencies=[allow(signed_in)]`.

    Only what a rule says of the caller is judged; rules about rows belong to a Resource. Without it the start fails.
    quota: how often, by caller; without one that of the service. cost: units that a request takes. at_once: so many in
    progress in one process, past it 503; at_once_each: of one caller, past it 429. cache: keep the answers of a GET; the
    endpoint then sees the caller through `Caller` and `Db`, and of the headers those in `Cache(vary=…)` alone.
    """
    if any(number is not None and number < 1 for number in (cost, at_once, at_once_each)):
        raise ConfigurationError("allow(...): cost, at_once and at_once_each are 1 or more")
    if any(type(atom).__name__ in {"Owner", "Member", "Where"} for atom in rule.atoms()):
        raise ConfigurationError(f"allow({rule.describe()}): a path operation has no row; use role, scope, signed_in")
    limits = {"quota": quota, "cost": cost, "at_once": at_once, "at_once_each": at_once_each}
    return Depends(Allow(rule, {name: said for name, said in limits.items() if said != _UNSAID[name]}, cache))


def declared(route: Any) -> Allow | None:
    """What `allow` says of a route and of the routers round it. route: FastAPI's, or its context where it was included."""
    marks = [each.call for each in route.dependant.dependencies if isinstance(each.call, Allow)]
    return Allow.together(marks) if marks else None


def rule_of(route: Any) -> Rule | None:
    """The declared rule of a route."""
    found = declared(route)
    return None if found is None else found.rule


async def current_session() -> Session:
    """The session of the unit at hand. Raises RuntimeError outside a path operation of a `Router`."""
    session = _session.get()
    if session is None:
        raise RuntimeError("Db is there only in path operations of a freehold Router (route class UnitRoute)")
    return await session()


async def _current_principal(request: Request) -> Principal:
    return await principal_of(request)


Db = Annotated[Session, Depends(current_session)]
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
        mark = declared(adoption.as_included(self))
        rule = None if mark is None else mark.rule
        kept = None if mark is None or mark.cache is None else self._kept(mark.rule, mark.cache)

        async def handle(request: Request) -> Response:
            if runtime_if_any(request) is None:
                return await handler(request)  # a router shared with an application that Freehold is not installed in
            body = b"" if request.method in SAFE else await request.body()
            if body and self.body_field is not None and _is_json(request):
                request_body.parse(body)
            request_key(request.scope)
            principal = await enter(request, rule)
            if kept is not None:
                return await kept(request, principal, _loading(request, handler, kept.cache))
            if request.method in SAFE:
                return await _read(request, principal, handler)

            async def work(unit: Unit) -> Response:
                async def session() -> Session:
                    return unit.session

                return await _with_session(session, handler, request)

            return await execute(request, principal, body, Writing(work))

        return handle if mark is None else under(mark.policy(self.unique_id), handle)

    def _kept(self, rule: Rule, cache: Cache) -> Remembered:
        if not SAFE.issuperset(self.methods or ()):
            raise ConfigurationError(f"{self.path}: the answers of a GET can be kept, and those of no other method")
        return Remembered(self.unique_id, cache, rules=[rule], keeps_roles=True)


def _loading(request: Request, handler: Callable[[Request], Any], cache: Cache) -> Load:
    async def load(viewer: Principal) -> Response:
        async with viewed(request, viewer, cache.vary) as seen:
            return await _read(seen, viewer, handler)

    return load


async def _read(request: Request, principal: Principal, handler: Callable[[Request], Any]) -> Response:
    """In a reading session, which is opened when something asks for it: what needs no row needs no connection."""
    async with AsyncExitStack() as opened:
        found: list[Session] = []

        async def session() -> Session:
            if not found:
                found.append(await opened.enter_async_context(runtime(request).database.reading(principal)))
            return found[0]

        return await _with_session(session, handler, request)


async def _with_session(
    session: Callable[[], Awaitable[Session]], handler: Callable[[Request], Any], request: Request
) -> Response:
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


def gathered(routers: Iterable[APIRouter]) -> Router:
    """One router with the routes of all of them, as they are.

    FastAPI analyses the operations of an included router anew at every level of inclusion; these are analysed once.
    """
    whole = Router()
    for router in routers:
        whole.routes.extend(router.routes)
    return whole

"""The edge: one pass of plain ASGI around the application.

In this order: ids, room for one more (503), sizes and framing (414, 431, 400, 413, 415), the client behind listed proxies, the Host (400, 421), the
spelling of the path (404, 400), credentials in wrong places (400), OPTIONS and preflights, then the application under its
deadline and the limit of its body. On the way out: problem documents for what has none, security headers, CORS, the
access line and the metrics. Each duty stands in its own `edge_*` module and works without this class.

Method override headers, X-Forwarded-Host and X-Original-URL are not read anywhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from freehold.cancellation import DONE_LATE, may_be_done
from freehold.errors import DeadlineExceeded, Internal, NotFound, OutcomeUnknown, Problem, Unavailable
from freehold.observe.context import CURRENT, Trace
from freehold.observe.logs import access_line, get_logger
from freehold.observe.metrics import Metrics
from freehold.web.body import MERGE_PATCH_TYPES
from freehold.web.edge_cors import Cors
from freehold.web.edge_deadline import Deadline, Deadlines
from freehold.web.edge_direct import Direct
from freehold.web.edge_exchange import Exchange
from freehold.web.edge_fields import Fields
from freehold.web.edge_headers import RawHeaders
from freehold.web.edge_hosts import Hosts, Proxies, forwarded_scheme
from freehold.web.edge_lifespan import telling
from freehold.web.edge_limits import (
    CLOSE,
    BodyLimit,
    check_credentials,
    check_framing,
    check_path,
    check_query,
    check_sizes,
    raw_path,
    too_large,
)
from freehold.web.edge_load import ARRIVED, Load
from freehold.web.edge_methods import PROBED, RouteTemplates, allowed_methods, matching_route
from freehold.web.edge_options import EdgeOptions
from freehold.web.edge_trace import trace_of
from freehold.web.edge_websocket import refuse_websocket
from freehold.web.problem_translation import to_problem

__all__ = ["Edge", "EdgeOptions"]

_log = get_logger("freehold.edge")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# What was found of the caller of a request, by the application that it came to.
_OF_THE_CALLER = ("fh_principal", "fh_session_value", "fh_rule")


class Edge:
    """Wraps an ASGI application.

    Inside, `scope["state"]` holds `request_id`, `trace_id`, `traceparent`, `client`; `is_head` where GET stands for HEAD.
    app: where it has `routes` (or sits inside one that does), OPTIONS is answered from them.
    """

    def __init__(self, app: ASGIApp, options: EdgeOptions | None = None, *, metrics: Metrics | None = None) -> None:
        self.app = app
        self.options = options or EdgeOptions()
        self.metrics = metrics or Metrics()
        self.load = Load(self.options.in_flight_limit)
        self.draining = False
        self.direct: Direct | None = None
        self._deadlines: dict[float, Deadlines] = {}
        self._hosts = Hosts(self.options.hosts)
        self._proxies = Proxies(self.options.trusted_proxies)
        self._templates = RouteTemplates(app)
        self._cors = Cors(self.options.cors_origins, credentials=self.options.cors_credentials)
        gauges = {
            "in_flight": ("Requests being answered", lambda: self.load.in_flight),
            "limit": ("Requests that may be worked on at once", lambda: self.load.limit),
            "refused": ("Requests refused at that limit since the start", lambda: self.load.refused),
        }
        for name, (meaning, read) in gauges.items():
            self.metrics.gauge(f"freehold_http_requests_{name}", meaning, read)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._no_request(scope, receive, send)
            return
        fields = Fields(scope["headers"])
        exchange = self.exchange(scope, send, fields, cors=self.cors(fields))
        began: float = scope["state"].pop(ARRIVED, None) or time.monotonic()
        await self._follow(exchange, began, self._answer(exchange, began, fields, receive))

    def cors(self, fields: Fields) -> RawHeaders:
        """What the answer tells the page that a request comes from."""
        return self._cors.headers(fields.single(b"origin"))

    def exchange(self, scope: Scope, send: Send, fields: Fields, *, cors: RawHeaders) -> Exchange:
        """What a request and its answer have in common, with its ids in its state."""
        trace, parent = trace_of(fields)
        _begin(scope, trace, parent)
        return Exchange(scope, send, trace, has_credentials=fields.has_credentials, cors=cors)

    async def _answer(self, exchange: Exchange, began: float, fields: Fields, receive: Receive) -> None:
        scope = exchange.scope
        exchange.turn = self.load.take(began) or await self.load.enter(scope["path"], since=began)
        options = self.judged(scope, fields)
        if scope["method"] != "OPTIONS" or not await self._options(exchange, fields):
            received = self._received(exchange, fields, receive, options)
            await self._serve(exchange, received, self._deadline(options.deadline_seconds), self.app)

    async def go_on(
        self, exchange: Exchange, began: float, receive: Receive, app: ASGIApp, deadline: Deadline | None
    ) -> None:
        """Have `app` answer a request that was let in before, whose deadline goes on."""
        await self._follow(exchange, began, self._serve(exchange, receive, deadline, app))

    async def _follow(self, exchange: Exchange, began: float, work: Awaitable[None]) -> None:
        """Whatever becomes of it, the request is answered and told of."""
        token = CURRENT.set(exchange.trace)
        try:
            await work
        except Exception as error:  # noqa: BLE001  # nothing escapes the edge unanswered
            await self._failed(exchange, error)
        except asyncio.CancelledError as error:  # the server is shutting down and its patience is over
            if not exchange.started:
                await exchange.refuse(OutcomeUnknown(DONE_LATE) if may_be_done(error) else Unavailable())
            raise
        finally:
            self.leave(exchange, began)
            CURRENT.reset(token)

    def leave(self, exchange: Exchange, began: float) -> None:
        """It is over: its place is free, and it is counted and told of."""
        if exchange.turn is not None:
            exchange.turn.left()
        self._record(exchange, began)

    @property
    def deadlines(self) -> Deadlines | None:
        """Those of requests without options of their own; None where they have all the time."""
        seconds = self.options.deadline_seconds
        return self._deadlines_of(seconds) if seconds else None

    async def _no_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, telling(send))

    def begin_drain(self) -> None:
        """Say that this process is about to end: readiness fails from now on, requests are still answered."""
        self.draining = True

    @property
    def in_flight(self) -> int:
        """How many requests are being answered."""
        return self.load.in_flight

    async def drained(self, timeout_seconds: float = 30.0) -> bool:
        """Wait until no request is in flight; False when some still are at the end of the time."""
        ends = time.monotonic() + timeout_seconds
        while self.in_flight and time.monotonic() < ends:  # noqa: ASYNC110  # an event would cost every request
            await asyncio.sleep(0.02)
        return self.in_flight == 0

    def judged(self, scope: Scope, fields: Fields) -> EdgeOptions:
        """The options that hold for a request, whose client is in its scope. Raises a Problem for what nothing further is to look at."""
        check_sizes(scope, fields, self.options)
        self._admit(scope, fields)
        options = self.options_for(scope)
        check_framing(fields, options)
        if scope["method"] != "OPTIONS" or not _is_about_server(scope):
            _judge_target(scope)
            check_credentials(fields)
        return options

    def judged_again(self, scope: Scope, fields: Fields) -> None:
        """The same of another target, with fields and a client that were judged before."""
        check_sizes(scope, fields, self.options)
        _judge_target(scope)

    def _received(self, exchange: Exchange, fields: Fields, receive: Receive, options: EdgeOptions) -> Receive:
        """`receive`, as the application gets it."""
        if exchange.is_head and matching_route(exchange.scope, "HEAD", self.app) is None:
            exchange.scope = {**exchange.scope, "method": "GET"}
            exchange.scope["state"]["is_head"] = True
        if exchange.scope["method"] not in _WITHOUT_BODY and exchange.turn is not None:
            receive = exchange.turn.waiting(receive)
        if fields.values.get(b"content-length") is None:
            receive = exchange.body_limit = BodyLimit(receive, options.body_limit_bytes)
        return receive

    def _admit(self, scope: Scope, fields: Fields) -> None:
        """Find the client and the scheme behind listed proxies, then check the Host."""
        peer = scope["client"][0] if scope.get("client") else None
        client = peer
        if self._proxies.listed and self._proxies.trusts(peer):
            forwarded = fields.values.get(b"forwarded")
            client = self._proxies.client(peer, fields.values.get(b"x-forwarded-for"), forwarded)
            scheme = forwarded_scheme(fields.values.get(b"x-forwarded-proto"), forwarded)
            if client is not None and client != peer:
                scope["client"] = (client, 0)
            if scheme is not None:
                scope["scheme"] = scheme if scope["type"] == "http" else {"http": "ws", "https": "wss"}[scheme]
        scope["state"]["client"] = client or "local"
        self._hosts.check(fields.values.get(b"host"), repeated=b"host" in fields.repeated)

    async def _options(self, exchange: Exchange, fields: Fields) -> bool:
        """Answer OPTIONS from the routes; False when a route, or a mounted application, answers it itself."""
        scope, origin = exchange.scope, fields.single(b"origin")
        if _is_about_server(scope):
            await exchange.answer(204, [(b"allow", ", ".join(_ALL_METHODS).encode())])
            return True
        allowed = allowed_methods(scope, self.app)
        if origin is not None and fields.values.get(b"access-control-request-method") is not None:
            methods = self._cors.preflight(origin, allowed or PROBED)
            await exchange.answer(204, [(b"allow", ", ".join(allowed or _ALL_METHODS).encode()), *methods])
            return True
        if matching_route(scope, "OPTIONS", self.app) is not None:
            return False
        if not allowed:
            raise NotFound
        patch = [(b"accept-patch", ", ".join(MERGE_PATCH_TYPES).encode())] if "PATCH" in allowed else []
        await exchange.answer(204, [(b"allow", ", ".join(allowed).encode()), *patch])
        return True

    def options_for(self, scope: Scope) -> EdgeOptions:
        """The options that hold for an operation: those of all, themselves, where it has none of its own."""
        for each in self.options.roomy:
            if each.is_about(scope["method"], scope["path"]):
                return replace(
                    self.options, body_limit_bytes=each.body_limit_bytes, deadline_seconds=each.deadline_seconds
                )
        return self.options

    async def _serve(self, exchange: Exchange, receive: Receive, deadline: Deadline | None, app: ASGIApp) -> None:
        """Run the application; past the deadline it is cancelled and awaited, and the answer is 503."""
        exchange.deadline = deadline
        try:
            await app(exchange.scope, receive, exchange.send)
        except BaseException as error:
            is_ours = deadline is not None and (
                deadline.left(error) or (deadline.is_over and isinstance(error, Exception))
            )
            if not is_ours:
                raise
            if not exchange.started:
                exchange.deadline = None
                raise _too_late(error) from None
        else:
            if deadline is not None:
                deadline.left(None)
        finally:
            exchange.deadline = None
        if not exchange.started:
            _log.error("the application sent no answer")
            await exchange.refuse(Internal())

    def _deadline(self, seconds: float) -> Deadline | None:
        return self._deadlines_of(seconds).begin() if seconds else None

    def _deadlines_of(self, seconds: float) -> Deadlines:
        found = self._deadlines.get(seconds)
        if found is None:
            found = self._deadlines[seconds] = Deadlines(seconds)
        return found

    async def _failed(self, exchange: Exchange, error: Exception) -> None:
        if isinstance(error, ClientDisconnect):
            return  # nobody is left to answer
        problem = to_problem(error)
        if problem.status == 500:
            _log.error("unhandled exception", exc_info=error)
        if exchange.body_limit is not None and exchange.body_limit.passed:
            problem = too_large(exchange.body_limit.limit_bytes)
        if not exchange.started:
            await exchange.refuse(problem)
        elif not exchange.is_complete:
            raise error  # the server cuts the connection, so that half an answer does not look whole

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        fields = Fields(scope["headers"])
        trace, parent = trace_of(fields)
        _begin(scope, trace, parent)
        token = CURRENT.set(trace)
        try:
            self._admit(scope, fields)
            _judge_target(scope)
            check_credentials(fields)
        except Problem as problem:
            await refuse_websocket(scope, send, problem, request_id=trace.request_id)
        else:
            await self.app(scope, receive, send)
        finally:
            CURRENT.reset(token)

    def _record(self, exchange: Exchange, began: float) -> None:
        """Count the request and write its line, under the template of its route: a path may hold anything."""
        state = exchange.scope["state"]
        route = state.get("route") or self._templates.of(exchange.scope)
        seconds = time.monotonic() - began
        self.metrics.request_done(exchange.method, route, exchange.status, seconds)
        if exchange.turn is None:
            return  # refused for want of room, which is told once a second
        access_line(
            exchange.method[:20],
            route,
            exchange.status,
            seconds,
            client=state.get("client", "unknown"),
            problem=exchange.problem or state.get("problem"),
        )


def _too_late(error: BaseException) -> Problem:
    """What is told past a deadline: never that nothing was changed where something may be."""
    if isinstance(error, OutcomeUnknown):
        return error
    return OutcomeUnknown(DONE_LATE, headers=CLOSE) if may_be_done(error) else DeadlineExceeded(headers=CLOSE)


def _judge_target(scope: Scope) -> None:
    check_path(scope)
    check_query(scope)


def _is_about_server(scope: Scope) -> bool:
    """Of OPTIONS: `*` asks about all of it (RFC 9110 9.3.7)."""
    return raw_path(scope) == b"*"


def _begin(scope: Scope, trace: Trace, parent: str) -> None:
    """Tell the ids of a request in its state."""
    state = scope.setdefault("state", {})
    if "request_id" in state:  # below another application of ours: its callers are not the callers here
        for name in _OF_THE_CALLER:
            state.pop(name, None)
    state["request_id"], state["trace_id"], state["traceparent"] = trace.request_id, trace.trace_id, parent

"""Requests that one question to the database answers, without a task of their own.

A task, a coroutine for each layer and a future to wait for are most of what such a request would cost. Here everything up
to the statement is done when the request comes in, and everything after it when its row does. What is out of the ordinary
(a refusal, a caller who has to be looked up, no room) goes the way of all requests: from its beginning, where nothing has
been counted by then, or from where it stands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from starlette.types import ASGIApp, Receive, Scope, Send

from freehold.errors import DeadlineExceeded, Problem, Unavailable
from freehold.observe.context import CURRENT
from freehold.observe.logs import get_logger
from freehold.resource.principal import Principal
from freehold.store.read_path import PlanReads
from freehold.web.answer import Ready
from freehold.web.compiled.asking import Asks
from freehold.web.compiled.entrance import Entrance
from freehold.web.compiled.front import Front, leads_to
from freehold.web.compiled.table import Compiled
from freehold.web.edge import Edge
from freehold.web.edge_deadline import Limited, Rest
from freehold.web.edge_exchange import Exchange
from freehold.web.edge_fields import Fields
from freehold.web.edge_headers import RawHeaders
from freehold.web.edge_limits import CLOSE
from freehold.web.guard import caller_at_once
from freehold.web.runtime import Runtime

if TYPE_CHECKING:
    from freehold.web.edge_cycle import Cycle
    from freehold.web.edge_protocol import StrictProtocol

_MOST_HEADS: Final = 1_000
_LONGEST_HEAD: Final = 4_096
_log = get_logger("freehold.compiled")
# Of a request with a body, which is received elsewhere.
_FRAMING: Final = (b"content-length", b"transfer-encoding", b"content-encoding")


class Direct:
    """See `freehold.web.edge.Direct`. edge: around `front`, with nothing between them."""

    def __init__(self, edge: Edge, front: Front, app: Entrance) -> None:
        self.edge = edge
        self.front = front
        self.deadlines = edge.deadlines
        self._app = app
        self._heads = Heads(edge)

    def takes(self, server: StrictProtocol, cycle: Cycle, app: Any) -> bool:
        """See `freehold.web.edge.Direct`."""
        if not self._is_bare(app):
            return False
        try:
            asked = self._begun(server, cycle)
        except Exception:  # noqa: BLE001 (whatever it is, the way of all requests meets it too, and answers)
            return False
        if asked is not None:
            asked.begin()
        return asked is not None

    def _is_bare(self, app: Any) -> bool:
        """Whether nothing stands around the edge: a proxy of the application, a class of its own, a stack that was wrapped."""
        own = self._app
        return app is own and own.middleware_stack is self.edge and not own.root_path and own.is_plainly_called

    def _begun(self, server: StrictProtocol, cycle: Cycle) -> Asked | None:
        scope: Scope = cycle.scope  # type: ignore[assignment]
        operation, parts = self._operation(scope), self._app.state["freehold"]
        if operation is None or not operation.door.is_at_once(parts) or not operation.may_ask(parts, scope):
            return None
        principal, head = caller_at_once(parts, scope), self._heads.of(scope)
        if principal is None or head is None:
            return None
        began = time.monotonic()
        turn = self.edge.load.take(began)
        if turn is None:
            return None
        head.tell(scope)
        exchange = self.edge.exchange(scope, cycle.send, head.fields, cors=head.cors)  # type: ignore[arg-type]
        exchange.turn = turn
        return Asked(self, server, cycle, exchange, operation, parts, principal, began)

    def _operation(self, scope: Scope) -> Asks | None:
        """What answers a request, where it may be answered so."""
        if scope["method"] != "GET" or scope["root_path"] or not self._app.is_untraced():
            return None
        found = self.front.table.find(scope)
        # A path with escapes may have another spelling, which is judged elsewhere.
        if found is None or len(scope["raw_path"]) != len(scope["path"]):
            return None
        operation, template, key = found
        if not _asks(operation):
            return None
        leads_to(scope, template, key)
        scope["app"] = self._app
        return operation


def _asks(operation: Compiled | Asks) -> TypeGuard[Asks]:
    return hasattr(operation, "asking")


class Asked(Limited):
    """One request, from its question to its answer. began: monotonic.

    It stands among the tasks of the server, which waits for them and cancels what takes too long at its end.
    """

    __slots__ = (
        "_began", "_cycle", "_direct", "_exchange", "_is_done", "_is_over", "_operation", "_outcome", "_parts",
        "_principal", "_reads", "_reply", "_rest", "_server",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 (made in one place, for each request: names would cost what is to be saved)
        self,
        direct: Direct,
        server: StrictProtocol,
        cycle: Cycle,
        exchange: Exchange,
        operation: Asks,
        parts: Runtime,
        principal: Principal,
        began: float,
    ) -> None:
        super().__init__()
        self._direct = direct
        self._server = server
        self._cycle = cycle
        self._exchange = exchange
        self._operation = operation
        self._parts = parts
        self._principal = principal
        self._began = began
        self._is_done = self._is_over = False
        self._reads: PlanReads | None = None
        self._outcome: Ready | Exception | None = None
        self._rest: Rest | None = None

    def begin(self) -> None:
        """Count it, and ask."""
        scope = self._exchange.scope
        self._server.tasks.add(self)  # type: ignore[arg-type]
        if self._direct.deadlines is not None:
            self._direct.deadlines.follow(self)
        try:
            self._operation.door.enter_at_once(self._parts, scope, self._principal)
            asking = self._operation.asking(self._parts, scope, self._principal)
            if asking is not None:
                self._reads, values, self._reply = asking
                self._reads.ask(values, self)
        except Exception as error:  # noqa: BLE001 (a refusal among them)
            self._go_on(error)
        else:
            if asking is None:
                self._go_on(None)

    def done(self) -> bool:
        """See `Answer`."""
        return self._is_done

    def set_result(self, found: Sequence[Sequence[Any]]) -> None:
        """See `Answer`."""
        token = CURRENT.set(self._exchange.trace)
        try:
            self._answer(found)
        except Exception:  # noqa: BLE001 (others wait for theirs)
            _log.exception("a request could not be ended")
        finally:
            CURRENT.reset(token)

    def _answer(self, found: Sequence[Sequence[Any]]) -> None:
        assert self._reads is not None, "it was asked"
        try:
            reply = self._reply(self._reads.rows(found))
            is_sent = self._exchange.send_whole(reply)
        except Exception as error:  # noqa: BLE001 (as what an endpoint raises)
            self._go_on(error)
            return
        if not is_sent:
            self._go_on(reply)
            return
        self._is_done = True
        self.met()
        self._server.tasks.discard(self)
        self._direct.edge.leave(self._exchange, self._began)

    def set_exception(self, error: Exception) -> None:
        """See `Answer`."""
        assert self._reads is not None, "it was asked"
        self._go_on(self._reads.fault(error))

    def passes(self) -> None:
        """Its deadline does."""
        if self._rest is not None:
            self._rest.passes()
            return
        self._is_over = True
        if not self._is_done:
            self._go_on(None)
        if self._reads is not None:
            self._reads.leave(self)

    def cancel(self, msg: Any = None) -> bool:
        """As of a task: the server is shutting down, and its patience is over."""
        self._server.loop.call_soon(self._cancelled)  # who cancels goes through the tasks, and this begins another
        return True

    def _cancelled(self) -> None:
        if not self._is_done:
            self._go_on(Unavailable())

    def _go_on(self, outcome: Ready | Exception | None) -> None:
        """Answer in a task. outcome: what there is to say; None where the row has to be read with waiting."""
        self._is_done = True
        self._outcome = outcome
        self._server.start(self._cycle, self)
        self._server.tasks.discard(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The rest of it, as an application."""
        task = asyncio.current_task()
        if self.running is not None and not self._is_over and task is not None:
            self._rest = Rest(task, self)
        try:
            await self._direct.edge.go_on(self._exchange, self._began, receive, self._conclude, self._rest)
        finally:
            self.met()

    async def _conclude(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_over:
            raise DeadlineExceeded(headers=CLOSE)  # which the edge answers, and no handler of the application's own
        await self._direct.front.conclude(self._answered(), scope, receive, send)

    async def _answered(self) -> ASGIApp:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome or await self._operation.read(self._parts, self._exchange.scope, self._principal)


class Head:
    """What was found of the fields of a request, and of who a listed proxy says has sent it."""

    __slots__ = ("_client", "_is_told", "_name", "_scheme", "cors", "fields")

    def __init__(self, scope: Scope, seen: Scope, fields: Fields, cors: RawHeaders) -> None:
        self.fields = fields
        self.cors = cors
        self._client, self._scheme, self._name = seen["client"], seen["scheme"], seen["state"]["client"]
        self._is_told = seen["client"] is not scope["client"] or seen["scheme"] != scope["scheme"]

    def tell(self, scope: Scope) -> None:
        """Put it where the edge does."""
        scope["state"]["client"] = self._name
        if self._is_told:
            scope["client"], scope["scheme"] = self._client, self._scheme


class Heads:
    """The fields of requests without a body. Those of one client are the same from request to request, and judged once."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._known: dict[tuple[Any, ...], Head] = {}

    def of(self, scope: Scope) -> Head | None:
        """What was found of those of a request; None where something is amiss, or looked at elsewhere."""
        client = scope["client"]
        key = (client and client[0], scope["scheme"], *scope["headers"])
        found = self._known.get(key)
        if found is not None:
            return found if not scope["query_string"] or self._is_good(scope, found) else None
        found = self._judged(scope)
        if found is not None and found.fields.size_bytes <= _LONGEST_HEAD and not found.fields.has_ids:
            if len(self._known) >= _MOST_HEADS:
                self._known.clear()
            self._known[key] = found
        return found

    def _judged(self, scope: Scope) -> Head | None:
        fields = Fields(scope["headers"])
        if not fields.values.keys().isdisjoint(_FRAMING):
            return None
        seen = {**scope, "state": {}}
        try:
            self._edge.judged(seen, fields)
        except Problem:
            return None
        return Head(scope, seen, fields, self._edge.cors(fields))

    def _is_good(self, scope: Scope, head: Head) -> bool:
        try:
            self._edge.judged_again(scope, head.fields)
        except Problem:
            return False
        return True

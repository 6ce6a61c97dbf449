"""A request that was begun directly, from its question to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from freehold.cancellation import DONE_LATE
from freehold.errors import DeadlineExceeded, OutcomeUnknown, Unavailable
from freehold.observe.context import CURRENT
from freehold.observe.logs import get_logger
from freehold.resource.principal import Principal
from freehold.store.questions import Responder, Sent
from freehold.web.answer import Ready
from freehold.web.compiled.direct_operation import DirectOperation
from freehold.web.edge_deadline import Limited, Rest
from freehold.web.edge_exchange import Exchange
from freehold.web.edge_limits import CLOSE
from freehold.web.runtime import Runtime

if TYPE_CHECKING:
    from freehold.web.compiled.direct import Direct
    from freehold.web.edge_cycle import Cycle
    from freehold.web.edge_protocol import StrictProtocol

_log = get_logger("freehold.compiled")
Outcome = Response | Exception | Callable[[], Awaitable[Response]] | None


class DirectRequest(Limited):
    """One request, from its question to its answer. began: monotonic.

    It stands among the tasks of the server, which waits for them and cancels what takes too long at its end.
    """

    __slots__ = (
        "_began", "_body", "_cycle", "_direct", "_exchange", "_is_done", "_is_over", "_left", "_operation", "_otherwise",
        "_outcome", "_parts", "_principal", "_reply", "_responder", "_rest", "_server",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 (made in one place, for each request: names would cost what is to be saved)
        self,
        direct: Direct,
        server: StrictProtocol,
        cycle: Cycle,
        exchange: Exchange,
        operation: DirectOperation,
        parts: Runtime,
        principal: Principal,
        body: bytes,
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
        self._body = body
        self._began = began
        self._is_done = self._is_over = False
        self._responder: Responder | None = None
        self._left: Sent | None = None
        self._outcome: Outcome = None
        self._rest: Rest | None = None

    def begin(self) -> None:
        """Count it, and ask."""
        scope = self._exchange.scope
        self._server.tasks.add(self)  # type: ignore[arg-type]
        if self._direct.deadlines is not None:
            self._direct.deadlines.follow(self)
        try:
            self._operation.door.enter_at_once(self._parts, scope, self._principal)
            question = self._operation.question(self._parts, scope, self._principal, self._body)
            if not callable(question):
                self._responder, values, self._reply, self._otherwise = question
                self._responder.ask(values, self)
        except Exception as error:  # noqa: BLE001 (a refusal among them)
            self._go_on(error)
        else:
            if callable(question):
                self._go_on(partial(question, None))

    def done(self) -> bool:
        """See `Answer`."""
        return self._is_done

    def set_result(self, found: Sequence[Any]) -> None:
        """See `Answer`."""
        token = CURRENT.set(self._exchange.trace)
        try:
            self._answer(found)
        except Exception:  # noqa: BLE001 (others wait for theirs)
            _log.exception("a request could not be ended")
        finally:
            CURRENT.reset(token)

    def _answer(self, found: Sequence[Any]) -> None:
        assert self._responder is not None, "it was asked"
        try:
            reply = self._reply(self._responder.rows(found))
            is_sent = type(reply) is Ready and self._exchange.send_whole(reply)
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
        assert self._responder is not None, "it was asked"
        self._go_on(self._responder.fault(error) or partial(self._otherwise, error))

    def passes(self) -> None:
        """Its deadline does."""
        if self._rest is not None:
            self._rest.passes()
            return
        self._is_over = True
        if not self._is_done:
            self._go_on(None)
        self._leave()

    def cancel(self, msg: Any = None) -> bool:
        """As of a task: the server is shutting down, and its patience is over."""
        self._server.loop.call_soon(self._cancelled)  # who cancels goes through the tasks, and this begins another
        return True

    def _cancelled(self) -> None:
        if not self._is_done:
            self._go_on(Unavailable())
            self._leave()

    def _leave(self) -> None:
        if self._responder is not None:
            self._left = self._responder.leave(self)

    def _go_on(self, outcome: Outcome) -> None:
        """Answer in a task. outcome: what there is to say, or what makes it with waiting; None where the time is over."""
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
        if self._left is not None and await self._left.may_be_done():
            raise OutcomeUnknown(DONE_LATE, headers=CLOSE)
        if self._is_over:
            raise DeadlineExceeded(headers=CLOSE)  # which the edge answers, and no handler of the application's own
        await self._direct.front.conclude(self._answered(), scope, receive, send)

    async def _answered(self) -> ASGIApp:
        assert self._outcome is not None, "there is time left"
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome if isinstance(self._outcome, Response) else await self._outcome()


class DirectWrite(DirectRequest):
    """The same for what changes something. An application has a say in what is valid, and finds around it what it would in a task."""

    __slots__ = ()

    def begin(self) -> None:
        """See `DirectRequest`."""
        Context().run(self._begin_within)

    def _begin_within(self) -> None:
        CURRENT.set(self._exchange.trace)
        super().begin()

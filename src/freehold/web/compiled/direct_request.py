"""A request that was begun directly, from its question to its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send

from freehold.errors import DeadlineExceeded, Unavailable
from freehold.observe.context import CURRENT
from freehold.observe.logs import get_logger
from freehold.resource.principal import Principal
from freehold.store.read_path import PlanReads
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


class DirectRequest(Limited):
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
        operation: DirectOperation,
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
            question = self._operation.question(self._parts, scope, self._principal)
            if question is not None:
                self._reads, values, self._reply = question
                self._reads.ask(values, self)
        except Exception as error:  # noqa: BLE001 (a refusal among them)
            self._go_on(error)
        else:
            if question is None:
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

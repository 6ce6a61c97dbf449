"""uvicorn, started and stopped as Freehold promises: not ready at once, requests in flight end, exit status 0."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from freehold.web.edge_protocol import KEEP_ALIVE_SECONDS, ServerState, protocol_options

# uvloop takes one connection of each listener in a round of its loop. Rounds are long where there is much to do, and those who
# are not let in are not even refused. A round with one new connection costs it as many calls that find none.
_ACCEPTED_AT_ONCE = 16
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(uvicorn.Server):
    """A server that leaves in order.

    SIGTERM: it goes on listening for `drain_seconds`, so that a proxy sees that it is not ready; then requests in flight
    have 30 s. SIGINT, which a person sends, does the same without listening on. SIGHUP: others serve on the same socket
    by now; it stops listening at once, stays ready, and leaves when its connections are done. Meanwhile every answer
    carries `Connection: close`.

    on_exit gets the first signal, inside the signal handler: it may only set flags. on_started runs once
    the application is up and the socket listens. still_wanted is asked ten times a second; no is taken for a SIGHUP.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_exit: Callable[[int], None] | None = None,
        on_started: Callable[[], None] | None = None,
        still_wanted: Callable[[], bool] = lambda: True,
        drain_seconds: float = 0.0,
    ) -> None:
        super().__init__(config)
        self.server_state = self._state = ServerState()
        self._on_exit = on_exit
        self._on_started = on_started
        self._still_wanted = still_wanted
        self._drain_seconds = drain_seconds
        self._leaves_at: float | None = None
        self._is_replaced = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends in order, the second one, of any kind, now."""
        if self._leaves_at is not None:
            self.should_exit = self.force_exit = True
            return
        stays = {signal.SIGTERM: self._drain_seconds, signal.SIGHUP: KEEP_ALIVE_SECONDS + 1}.get(signal.Signals(sig), 0)
        self._leaves_at = (
            time.monotonic() + stays
        )  # before anybody is told: the next signal may come in the midst of it
        if self._on_exit is not None:
            self._on_exit(sig)
        self._is_replaced = sig == signal.SIGHUP
        self.should_exit = not stays

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; then `on_started`."""
        for each in sockets or ():
            # Others serve on it by now. `dup` has it wait as its original does, and who waits is shared: they would hang in `accept`.
            each.setblocking(False)
        if type(asyncio.get_running_loop()).__module__.startswith("uvloop"):
            sockets = sockets and [*sockets, *(each.dup() for each in sockets for _ in range(_ACCEPTED_AT_ONCE - 1))]
        await super().startup(sockets)
        if self.started and self._on_started is not None:
            self._on_started()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to go."""
        if self._leaves_at is None and not self._still_wanted():
            self.handle_exit(signal.SIGHUP, None)  # whoever is started in its place needs the port
        if self._leaves_at is not None:
            self._state.take_leave()
            if self._is_replaced:
                for each in self.servers:
                    each.close()
            is_done = self._is_replaced and not self._state.connections
            self.should_exit = self.should_exit or is_done or time.monotonic() >= self._leaves_at
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but without raising the signal again at the end: a stop that was asked for is a success."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals are the main thread's business
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def server(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    on_exit: Callable[[int], None] | None = None,
    on_started: Callable[[], None] | None = None,
    still_wanted: Callable[[], bool] = lambda: True,
    drain_seconds: float = 0.0,
    **options: Any,
) -> Server:
    """A server for `app` with the strict parser and without uvicorn's own proxy headers, access log and Server header."""
    config = uvicorn.Config(app, host=host, port=port, **{**protocol_options(), **options})
    return Server(
        config, on_exit=on_exit, on_started=on_started, still_wanted=still_wanted, drain_seconds=drain_seconds
    )

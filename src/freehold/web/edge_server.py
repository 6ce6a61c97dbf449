"""uvicorn, started and stopped as Freehold promises: not ready at once, requests in flight end, exit status 0."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from freehold.web.edge_protocol import protocol_options

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """on_exit runs at the first signal, inside the signal handler: it may only set a flag (`edge.begin_drain`)."""

    def __init__(self, config: uvicorn.Config, *, on_exit: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal ends in order, the second one, of any kind, now."""
        if self.should_exit:
            self.force_exit = True
        elif self._on_exit is not None:
            self._on_exit()
        self.should_exit = True

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


def server(app: ASGIApp, *, host: str, port: int, on_exit: Callable[[], None] | None = None, **options: Any) -> Server:
    """A server for `app` with the strict parser and without uvicorn's own proxy headers, access log and Server header."""
    return Server(uvicorn.Config(app, host=host, port=port, **{**protocol_options(), **options}), on_exit=on_exit)

"""One serving process: the app behind a bound socket, until a signal ends it."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from freehold.cli.target import load
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

FAILED = 3  # uvicorn's status for an application that does not start


def run(target: str, listener: socket.socket) -> None:
    """Serve until the first SIGTERM or SIGINT, then let what is in flight end; a second one ends now."""
    from freehold.web.edge_server import server

    app = load(target)
    serving = server(app, host="", port=0, on_exit=_drain(app))
    serving.run(sockets=[listener])
    if not serving.started:
        raise SystemExit(FAILED)


def run_child(target: str, sockets: list[socket.socket] | None = None) -> None:
    """The same in a process of its own, where a refusal is told as the command line tells it."""
    assert sockets is not None
    try:
        run(target, sockets[0])
    except ConfigurationError as refusal:
        sys.stderr.write(f"freehold: {refusal}\n")
        raise SystemExit(FAILED) from None


def _drain(app: FastAPI) -> Callable[[], None]:
    from freehold.web.app import Freehold

    def stop() -> None:
        # uvicorn takes the second signal for a wish; a process that hangs must go all the same.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end_now)
        if isinstance(app, Freehold) and app.edge is not None:
            app.edge.begin_drain()

    return stop


def _end_now(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)

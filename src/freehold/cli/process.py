"""One serving process: the app behind a bound socket, until a signal ends it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import FrameType
from typing import TYPE_CHECKING, Any

from freehold.cli.target import load
from freehold.collector import paused
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from fastapi import FastAPI

    from freehold.web.worker import Worker

_COLLECTED_AFTER = 10_000
FAILED = 3  # uvicorn's status for an application that does not start

Load = Callable[[str], Any]
"""Makes what is served of the app at `module:attribute`; goes to other processes by pickle."""


def run(target: str, listener: socket.socket, *, loads: Load = load) -> None:
    """Serve until the first SIGTERM or SIGINT, then let what is in flight end; a second one ends now."""
    app = loads(target)
    _serve(app, listener, on_exit=lambda number: _leave(app, number, _end_now))


def run_child(target: str, sockets: list[socket.socket] | None = None) -> None:
    """The same in a process of its own, where a refusal is told as the command line tells it."""
    assert sockets is not None
    telling(lambda: run(target, sockets[0]))


def run_worker(target: str, listener: socket.socket, told: Connection, lifeline: Connection, loads: Load) -> None:
    """One of several, in an interpreter of its own. See `serve_as_worker`."""

    def work() -> None:
        with paused(for_good=True):
            app = loads(target)
        serve_as_worker(app, listener, told, lifeline)

    telling(work)


def serve_as_worker(app: FastAPI | Worker, listener: socket.socket, told: Connection, lifeline: Connection) -> None:
    """`told` is told its process id once it serves, and closed by its end. It leaves when `lifeline` is closed.

    Its supervisor alone decides about its end, and kills it where that has to be now: a terminal and a process manager
    may signal both, and a second signal must not cut off what the first one let end.
    """
    os.register_at_fork(after_in_child=told.close)  # what the application forks or executes may outlive it
    for each in (told, lifeline, listener):
        os.set_inheritable(each.fileno(), False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(
        app,
        listener,
        on_exit=lambda number: _leave(app, number, signal.SIG_IGN),
        on_started=lambda: told.send_bytes(b"%d" % os.getpid()),
        still_wanted=lambda: not lifeline.poll(),
    )


def _serve(
    app: FastAPI | Worker, listener: socket.socket, *, on_started: Callable[[], None] | None = None, **options: Any
) -> None:
    from freehold.web.app import Freehold
    from freehold.web.edge_server import server

    def started() -> None:
        settle()
        if on_started is not None:
            on_started()

    drain = app.settings.drain_seconds if isinstance(app, Freehold) else 0.0
    serving = server(app, host="", port=0, drain_seconds=drain, on_started=started, **options)
    serving.run(sockets=[listener])
    if not serving.started:
        raise SystemExit(FAILED)


def settle() -> None:
    """Let the collector of cycles leave alone what was loaded: it would walk through all of it while requests wait.

    What a request leaves behind is mostly gone by counting, so it need not look for more than every ten thousand objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)


def joined(process: BaseProcess) -> int | None:
    """Its exit status, once it has ended; then it is closed. Waited for otherwise, multiprocessing would keep its descriptors."""
    process.join()
    status = process.exitcode
    process.close()
    return status


def telling(work: Callable[[], None]) -> None:
    """Do it, in a process of its own: a refusal is one line and the exit status FAILED."""
    try:
        work()
    except ConfigurationError as refusal:
        sys.stderr.write(f"freehold: {refusal}\n")
        raise SystemExit(FAILED) from None


def _leave(app: FastAPI | Worker, number: int, at_the_next_signal: Any) -> None:
    """In the signal handler. uvicorn takes the second signal for a wish; a process that hangs must go all the same."""
    from freehold.web.app import Freehold
    from freehold.web.worker import Worker

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, at_the_next_signal)
    if isinstance(app, Freehold | Worker):
        app.begin_drain(is_replaced=number == signal.SIGHUP)


def _end_now(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)

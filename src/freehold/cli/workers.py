"""Several serving processes on one socket: started, replaced when one dies, ended together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import time
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from types import FrameType

from freehold.cli.process import FAILED, run_child

# A little over the 30 s that requests in flight have, then a worker is killed.
GRACE_SECONDS = 35.0
TICK_SECONDS = 0.1
# A worker that dies again within this time after its start is not replaced at once: it would spin.
SETTLED_SECONDS = 5.0


class Workers:
    """`count` processes that serve `target` on `listener`. Exit status 0 after a signal, 3 where the app does not start."""

    def __init__(self, target: str, listener: socket.socket, *, count: int) -> None:
        self._target = target
        self._listener = listener
        self._count = count
        self._context = multiprocessing.get_context("spawn")
        self._started_at: dict[SpawnProcess, float] = {}
        self._stopping_since: float | None = None
        self._signals = 0

    def run(self) -> int:
        """Serve until a signal; the exit status."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._supervise()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _supervise(self) -> int:
        for _ in range(self._count):
            self._start()
        while self._started_at:
            connection.wait([process.sentinel for process in self._started_at], timeout=TICK_SECONDS)
            status = self._tend()
            if status is not None:
                self._signal_all(signal.SIGTERM)
                for process in self._started_at:
                    process.join(GRACE_SECONDS)
                return status
            self._pass_signals_on()
        return 0

    def _start(self) -> None:
        process = self._context.Process(target=run_child, args=(self._target, [self._listener]))
        process.start()
        self._started_at[process] = time.monotonic()

    def _tend(self) -> int | None:
        for process, since in list(self._started_at.items()):
            if process.is_alive():
                continue
            process.join()
            del self._started_at[process]
            if self._signals:
                continue
            if process.exitcode == FAILED:
                return FAILED
            sys.stderr.write(f"freehold: worker {process.pid} ended with {process.exitcode}; starting another\n")
            if time.monotonic() - since < SETTLED_SECONDS:
                time.sleep(1)
            self._start()
        return None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Only counted here: the loop acts, so that no worker is started behind the back of a stop.
        self._signals += 1

    def _pass_signals_on(self) -> None:
        if self._signals and self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._signal_all(signal.SIGTERM)
        elif self._stopping_since is not None and (
            self._signals > 1 or time.monotonic() - self._stopping_since > GRACE_SECONDS
        ):
            self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._started_at:
            if process.pid is not None:
                with contextlib.suppress(ProcessLookupError):  # it may be gone by now
                    os.kill(process.pid, number)

"""Several serving processes on one socket: started, replaced when one dies, rolled one by one, ended together."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import FrameType

from freehold.cli.process import FAILED, Load, run_worker
from freehold.cli.target import load

# A little over the 30 s that requests in flight have once a worker has stopped listening; then it is killed.
GRACE_SECONDS = 35.0
TICK_SECONDS = 0.1
# A worker that dies again within this time after its start is not replaced at once: it would spin.
SETTLED_SECONDS = 5.0
# A new worker that does not serve by then is given up, and the old ones stay.
PATIENCE_SECONDS = 60.0


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    ready: Connection
    started_at: float = field(default_factory=time.monotonic)
    has_served: bool = False

    def serves(self) -> bool:
        """Whether it has said that it does."""
        if not self.has_served and self.ready.poll():
            with contextlib.suppress(EOFError):  # it ended without a word
                self.has_served = self.ready.recv_bytes() == b"ready"
        return self.has_served

    def signal(self, number: signal.Signals) -> None:
        if self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it may be gone by now
                os.kill(self.process.pid, number)


class Workers:
    """`count` processes that serve `target` on `listener`. Exit status 0 after a signal, 3 where the app does not start.

    SIGHUP rolls: one after the other a new process starts, and once it serves an old one leaves. The socket is theirs
    together, so that no connection is refused meanwhile. drain_seconds: that they go on listening after a SIGTERM.
    """

    def __init__(
        self, target: str, listener: socket.socket, *, count: int, drain_seconds: float = 0.0, loads: Load = load
    ) -> None:
        self._target = target
        self._listener = listener
        self._count = count
        self._loads = loads
        self._grace = drain_seconds + GRACE_SECONDS
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._retired: list[_Worker] = []
        self._outdated: list[_Worker] = []
        self._successor: _Worker | None = None
        self._stopping_since: float | None = None
        self._signals = 0
        self._has_served = False
        self._wants_roll = False

    def run(self) -> int:
        """Serve until a signal; the exit status."""
        handlers = {signal.SIGINT: self._on_stop, signal.SIGTERM: self._on_stop, signal.SIGHUP: self._on_roll}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            return self._supervise()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _supervise(self) -> int:
        for _ in range(self._count):
            self._start()
        while self._workers or self._retired:
            connection.wait([each.process.sentinel for each in self._all], timeout=TICK_SECONDS)
            self._has_served = self._has_served or any(each.serves() for each in self._workers)
            status = self._tend()
            if status is not None:
                self._signal_all(signal.SIGTERM)
                for each in self._all:
                    each.process.join(self._grace)
                return status
            if self._signals:
                self._pass_signals_on()
            else:
                self._roll()
        return 0

    @property
    def _all(self) -> list[_Worker]:
        return [*self._workers, *self._retired]

    def _start(self) -> _Worker:
        ready, told = self._context.Pipe(duplex=False)
        process = self._context.Process(target=run_worker, args=(self._target, self._listener, told, self._loads))
        process.start()
        told.close()
        worker = _Worker(process, ready)
        self._workers.append(worker)
        return worker

    def _tend(self) -> int | None:
        for worker in self._all:
            if worker.process.is_alive():
                continue
            worker.process.join()
            worker.ready.close()
            if worker in self._retired:
                self._retired.remove(worker)
                continue
            self._workers.remove(worker)
            if self._signals:
                continue
            if worker is self._successor:
                self._give_up(f"ended with {worker.process.exitcode} before it served")
                continue
            if worker.process.exitcode == FAILED and not self._has_served:
                return FAILED  # later on others serve, and starting is tried again
            self._replace(worker)
        return None

    def _replace(self, dead: _Worker) -> None:
        if dead in self._outdated:
            self._outdated.remove(dead)
        sys.stderr.write(f"freehold: worker {dead.process.pid} ended with {dead.process.exitcode}; starting another\n")
        if time.monotonic() - dead.started_at < SETTLED_SECONDS:
            time.sleep(1)
        self._start()

    def _roll(self) -> None:
        """One old worker after the other leaves, each once its successor serves."""
        if self._successor is None:
            if self._wants_roll and not self._outdated:
                self._wants_roll, self._outdated = False, list(self._workers)
            if self._outdated:
                self._successor = self._start()
            return
        if self._successor.serves():
            self._retire(self._outdated.pop(0) if self._outdated else self._workers[0])
            self._successor = None
            if not self._outdated:
                sys.stderr.write(f"freehold: rolled; {len(self._workers)} new workers serve\n")
        elif time.monotonic() - self._successor.started_at > PATIENCE_SECONDS:
            self._successor.signal(signal.SIGKILL)  # `_tend` finds it dead, and gives up

    def _retire(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._retired.append(worker)
        worker.signal(signal.SIGHUP)

    def _give_up(self, why: str) -> None:
        self._successor, self._outdated, self._wants_roll = None, [], False
        sys.stderr.write(f"freehold: not rolled: the new worker {why}. {len(self._workers)} workers go on\n")

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        # Only counted here: the loop acts, so that no worker is started behind the back of a stop.
        self._signals += 1

    def _on_roll(self, number: int, frame: FrameType | None) -> None:
        self._wants_roll = True

    def _pass_signals_on(self) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._signal_all(signal.SIGTERM)
        elif self._signals > 1 or time.monotonic() - self._stopping_since > self._grace:
            self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for worker in self._all:
            worker.signal(number)  # the retired are leaving already, and ignore what asks them to

"""Where finished log lines go: a bounded buffer, written by a thread of its own.

A slow or full log volume never stops a request: past the bound lines are dropped, counted, and the count is written
when there is room again.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections import deque
from typing import IO, Final

# Waking the thread for each line takes the interpreter from the request that wrote it. A crash loses no more than this.
GATHERED_SECONDS: Final = 0.02


class LogSink:
    """Takes lines from any thread without waiting. stream: None means whatever `sys.stderr` is when a line is written."""

    def __init__(self, stream: IO[str] | None = None, *, limit: int = 20_000) -> None:
        self.dropped = 0
        self._stream = stream
        self._limit = limit
        self._lines: deque[str] = deque()
        self._wake = threading.Event()
        self._ends = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def write(self, line: str) -> None:
        """Hand over one line, without its line end."""
        if len(self._lines) >= self._limit:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            if self._thread is None:
                self._start()
            self._wake.set()

    def flush(self) -> None:
        """Write what is waiting, in the calling thread."""
        with self._writing:
            self._drain()

    def close(self) -> None:
        """Write what is waiting and stop the thread. A closed sink writes nothing more by itself."""
        self._closed = True
        self._ends.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
        self.flush()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="freehold-log", daemon=True)
        self._thread.start()
        atexit.register(self.flush)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait()
            self._ends.wait(GATHERED_SECONDS)
            self._wake.clear()
            self.flush()

    def _drain(self) -> None:
        lost, self.dropped = self.dropped, 0
        batch = [self._lines.popleft() for _ in range(len(self._lines))]
        if lost:
            batch.append(f'{{"event":"log lines dropped","level":"warning","count":{lost}}}')
        if not batch:
            return
        stream = self._stream or sys.stderr
        try:
            stream.write("\n".join(batch) + "\n")
            stream.flush()
        except (OSError, ValueError):  # full volume, closed pipe: the service goes on without its log
            self.dropped += len(batch)

"""The load: raw HTTP/1.1 over kept connections, in a process of its own on the core beside the server's.

    python -m bench.versus.load < plan.json > figures.json

Closed: each connection sends its next request when it has the answer to the last one. Paced: requests begin at a given
rate whatever the server does, and a latency counts from the moment at which its request was due, so that a stall is seen
by everyone who would have waited in it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter, deque
from typing import Any

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TAG = re.compile(rb"\r\netag: *([^\r]+)", re.IGNORECASE)
_BODILESS = (b"204", b"304")
PATIENCE = 10  # times as long as asked for


class Run:
    """What is sent, and what came of it. Times are in seconds of the monotonic clock."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.requests = [each.encode("latin-1") for each in plan["requests"]]
        self.expected = str(plan["expected"]).encode()
        self.follows_tags = bool(plan.get("follows_tags"))
        self.first = [each.encode("latin-1") for each in plan.get("first", ())]
        self.rate: float | None = plan.get("rate")
        self.latencies: list[float] = []
        self.statuses: Counter[bytes] = Counter()
        self.answers = 0
        self.idle: list[Connection] = []
        self.due: deque[float] = deque()
        self.is_counting = False
        self.is_over = False
        self.sent = 0
        self._next = 0

    def take(self) -> bytes:
        """The next request in turn."""
        self._next = (self._next + 1) % len(self.requests)
        return self.requests[self._next]


class Connection(asyncio.Protocol):
    """One client. number: whose row it changes, where it follows the tags of one."""

    def __init__(self, run: Run, number: int) -> None:
        self._run, self._number = run, number
        self._head, self._missing, self._began = b"", 0, 0.0
        self._status, self._tag = b"", b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        if self._run.follows_tags:
            self.send(self._run.first[self._number % len(self._run.first)])
        else:
            self._go_on()

    def send(self, request: bytes, *, due: float | None = None) -> None:
        """Send a request. due: when it ought to have been sent."""
        self._began = time.perf_counter() if due is None else due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect one answer."""
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, self._head, received = self._head[:end], b"", len(self._head) - end - 4
            self._begin(head, received)
        if self._missing <= 0:
            self._done()

    def _begin(self, head: bytes, received: int) -> None:
        self._status = head[9:12]
        length = _LENGTH.search(head)
        if length is None and self._status not in _BODILESS:
            raise ValueError(f"an answer without a length: {head!r}")
        self._missing = (0 if length is None else int(length[1])) - received
        if self._run.follows_tags and (tag := _TAG.search(head)) is not None:
            self._tag = tag[1]

    def _done(self) -> None:
        run, self._missing = self._run, 0
        run.answers += 1
        if run.is_counting:
            run.latencies.append(time.perf_counter() - self._began)
            run.statuses[self._status] += 1
        self._go_on()

    def _go_on(self) -> None:
        run = self._run
        if run.is_over:
            return
        if run.follows_tags:
            run.sent += 1
            request = run.requests[self._number % len(run.requests)].replace(b"@TAG@", self._tag)
            self.send(request.replace(b"@NUMBER@", b"%08d" % (10_000_000 + run.sent)))
        elif run.rate is None:
            self.send(run.take())
        elif run.due:
            self.send(run.take(), due=run.due.popleft())
        else:
            run.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that hangs up on us is a failure."""
        if not self._run.is_over:
            self._run.statuses[b"cut"] += 1


async def _pace(run: Run, rate: float) -> None:
    """Let requests fall due, evenly."""
    began, sent = time.perf_counter(), 0
    while not run.is_over:
        at = time.perf_counter()
        while sent < (at - began) * rate:
            due = began + sent / rate
            sent += 1
            if run.idle:
                run.idle.pop().send(run.take(), due=due)
            else:
                run.due.append(due)
        await asyncio.sleep(0.001)


async def _until(run: Run, seconds: float, *, answers: int) -> None:
    """Wait so long, and on a busy machine until there were so many answers, but not for ever."""
    began, before = time.perf_counter(), run.answers
    await asyncio.sleep(seconds)
    while run.answers - before < answers and time.perf_counter() - began < PATIENCE * seconds:  # noqa: ASYNC110  # an event would cost every answer
        await asyncio.sleep(0.05)


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    """Carry out a plan; its figures."""
    run, loop = Run(plan), asyncio.get_running_loop()
    for number in range(plan["connections"]):
        await loop.create_connection(lambda number=number: Connection(run, number), "127.0.0.1", plan["port"])
    pacing = asyncio.create_task(_pace(run, run.rate)) if run.rate else None
    await _until(run, plan["warm_up_seconds"], answers=plan.get("least", 0))
    sys.stdout.write("\n")  # from here on it counts, and whoever started us looks at the clocks
    sys.stdout.flush()
    run.is_counting, began = True, time.perf_counter()
    await _until(run, plan["seconds"], answers=plan.get("least", 0))
    run.is_counting, lasted = False, time.perf_counter() - began
    run.is_over = True
    sys.stdout.write(json.dumps(_figures(run, lasted)) + "\n")
    sys.stdout.flush()
    if pacing is not None:
        await pacing
    return {}


def _figures(run: Run, lasted: float) -> dict[str, Any]:
    ordered, number = sorted(run.latencies), len(run.latencies)
    wrong = {each.decode(): count for each, count in run.statuses.items() if each != run.expected}

    def at(share: float) -> float:
        return round(ordered[min(number - 1, int(number * share))] * 1000, 3) if ordered else 0.0

    return {
        "requests": number,
        "seconds": lasted,
        "per_second": round(number / lasted, 1),
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "worst_ms": at(1.0),
        "wrong": wrong,
    }


if __name__ == "__main__":
    uvloop.run(drive(json.loads(sys.stdin.read())))

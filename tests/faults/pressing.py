"""`python -m tests.faults.pressing PORT PER_SECOND SECONDS CONNECTIONS`: ask one process for a page, whatever becomes of it.

An open load in a process of its own, on bare sockets: a request costs it a tenth of what it costs the process that it asks, and
what the two share is two cores. One that finds no connection free is not sent, and counted. Writes what came as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

PAGE = b"GET /v1/properties?limit=5 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SETTLES_SECONDS = 3.0


@dataclass
class Found:
    """What came of it. amiss: refusals that do not say what they are to say."""

    asked: int = 0
    not_sent: int = 0
    cut: int = 0
    amiss: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    p99: float = 0.0
    slowest: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.statuses = Counter({int(status): number for status, number in self.statuses.items()})  # JSON has texts

    @property
    def good(self) -> int:
        return self.statuses[200]


class Press:
    """So many connections to one port. per_second: requests; with 0 each connection asks again when it has its answer."""

    def __init__(self, port: int, per_second: float, connections: int) -> None:
        self._port = port
        self._per_second = per_second
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._idle: list[int] = []
        self._asked_at: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self._taken: list[float] = []
        self.found = Found()
        for _ in range(connections):
            self._connect()

    def run(self, seconds: float) -> Found:
        """Ask for so long, then wait for the answers that are out."""
        found, began = self.found, time.perf_counter()
        due = 0
        while (now := time.perf_counter()) - began < seconds:
            if self._per_second:
                owed = int((now - began) * self._per_second) - due
                due += owed
                sent = min(owed, len(self._idle))
                found.not_sent += owed - sent
            else:
                sent = len(self._idle)
            for _ in range(sent):
                self._ask(now)
            self._take(0.001)
        found.seconds = time.perf_counter() - began
        while self._asked_at and time.perf_counter() - began < seconds + SETTLES_SECONDS:
            self._take(0.05)
        if self._taken:
            self._taken.sort()
            found.p99, found.slowest = self._taken[int(len(self._taken) * 0.99)], self._taken[-1]
        return found

    def _connect(self) -> None:
        made = socket.create_connection(("127.0.0.1", self._port))
        made.setblocking(False)
        self._sockets[made.fileno()] = made
        self._epoll.register(made.fileno(), select.EPOLLIN)
        self._idle.append(made.fileno())

    def _ask(self, now: float) -> None:
        number = self._idle.pop()
        self._asked_at[number] = now
        self.found.asked += 1
        try:
            self._sockets[number].send(PAGE)
        except OSError:
            self._lost(number)

    def _take(self, timeout: float) -> None:
        for number, _ in self._epoll.poll(timeout):
            try:
                got = self._sockets[number].recv(65_536)
            except BlockingIOError:  # of a connection that had this number before
                continue
            except OSError:
                got = b""
            if got:
                self._read(number, self._partial.pop(number, b"") + got)
            else:
                self._lost(number)

    def _read(self, number: int, got: bytes) -> None:
        head, end, body = got.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"\ncontent-length: ")[2].partition(b"\r")[0]):
            self._partial[number] = got
            return
        found, status = self.found, int(head[9:12])
        found.statuses[status] += 1
        taken = time.perf_counter() - self._asked_at.pop(number)
        if status == 200:
            self._taken.append(taken)
        elif b"\nretry-after: " not in head or b'"service.at_capacity"' not in body:
            found.amiss += 1
        self._idle.append(number)

    def _lost(self, number: int) -> None:
        """Closed by the other side: idle for too long, or in the middle of an answer."""
        if self._asked_at.pop(number, None) is not None:
            self.found.cut += 1
        else:
            self._idle.remove(number)
        self._partial.pop(number, None)
        self._sockets.pop(number).close()
        self._connect()


def main() -> None:
    port, per_second, seconds, connections = sys.argv[1:]
    found = Press(int(port), float(per_second), int(connections)).run(float(seconds))
    sys.stdout.write(json.dumps(vars(found)))


if __name__ == "__main__":
    main()

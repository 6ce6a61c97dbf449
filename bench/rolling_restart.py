"""All API processes of a cluster are replaced one after the other under 200 requests a second (F08).

A cluster of its own (deploy/cluster: PostgreSQL, Redis, a broker, S3, four processes behind nginx), and an open load: a
request begins each 5 ms, whatever became of those before it. One in ten writes, with an Idempotency-Key. Half
of the clients keep their connections; where an idle one was closed they ask again on a new one, as HTTP clients do, which
is counted. About two minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from services.imba.demo import PASSWORD
from services.imba.tests.world import COTTAGE
from tests.faults.wire import request

ROOT = Path(__file__).parents[1]
PORT = 18300
PER_SECOND = int(os.environ.get("ROLL_PER_SECOND", "200"))
WRITES = 10
QUIET_SECONDS = 5
LAST_ANSWER_SECONDS = 30


@dataclass
class Asked:
    """One request under way. is_first: its connection was not used before, or is no kept one."""

    sent: bytes
    began: float
    is_kept: bool
    is_first: bool
    got: bytes = b""


class Load:
    """What was asked, and what became of it.

    On bare sockets and in a thread of its own: what asks takes a twentieth of what answering takes, and is never late for it.
    """

    def __init__(self, port: int, token: str, homes: list[str]) -> None:
        self._port = port
        self._token = token
        self._homes = homes
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._asked: dict[int, Asked] = {}
        self._idle: list[int] = []
        self.seconds: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.failed: list[str] = []
        self.asked_again = 0
        self.latest_start = 0.0

    def until(self, stop: threading.Event) -> None:
        """A request each 5 ms, on a kept connection and on one of its own in turn. Then wait for those under way."""
        began, number = time.perf_counter(), 0
        while not stop.is_set():
            due = began + number / PER_SECOND
            late = time.perf_counter() - due
            if late >= 0:
                self.latest_start = max(self.latest_start, late)
                self._begin(number)
                number += 1
            self._take(max(0.0, -late))
        ends = time.perf_counter() + LAST_ANSWER_SECONDS
        while self._asked and time.perf_counter() < ends:
            self._take(0.1)
        self.failed += [f"{_line(each.sent)}: no answer" for each in self._asked.values()]
        for each in self._sockets.values():
            each.close()

    def _begin(self, number: int) -> None:
        is_kept = number % 2 == 0
        is_first = not (is_kept and self._idle)
        at = self._connected() if is_first else self._idle.pop()
        self._send(at, Asked(self._request(number), time.perf_counter(), is_kept, is_first))

    def _connected(self) -> int:
        made = socket.create_connection(("127.0.0.1", self._port))
        made.setblocking(False)
        self._sockets[made.fileno()] = made
        self._epoll.register(made.fileno(), select.EPOLLIN)
        return made.fileno()

    def _send(self, at: int, asked: Asked) -> None:
        self._asked[at] = asked
        try:
            self._sockets[at].sendall(asked.sent)
        except OSError as reason:
            self._gone(at, repr(reason))

    def _take(self, timeout: float) -> None:
        for at, _ in self._epoll.poll(timeout):
            try:
                got, reason = self._sockets[at].recv(65_536), "closed"
            except BlockingIOError:  # of a connection that had this number before
                continue
            except OSError as error:
                got, reason = b"", repr(error)
            if got:
                self._read(at, got)
            else:
                self._gone(at, reason)

    def _read(self, at: int, got: bytes) -> None:
        asked = self._asked[at]
        asked.got += got
        head, end, body = asked.got.partition(b"\r\n\r\n")
        fields = head.lower()
        if not end or len(body) < int(fields.partition(b"\ncontent-length: ")[2].partition(b"\r")[0] or 0):
            return
        del self._asked[at]
        self.seconds.append(time.perf_counter() - asked.began)
        self._note(int(head[9:12]), body, asked.sent)
        if asked.is_kept and b"\nconnection: close" not in fields:
            self._idle.append(at)
        else:
            self._drop(at)

    def _gone(self, at: int, reason: str) -> None:
        """The other side closed it: while it was idle, or under a request, which may be asked again where it was idle before."""
        self._drop(at)
        asked = self._asked.pop(at, None)
        if asked is None:
            self._idle.remove(at)
        elif asked.is_first or asked.got:
            self.seconds.append(time.perf_counter() - asked.began)
            self.failed.append(f"{_line(asked.sent)}: {reason}")
        else:
            self.asked_again += 1
            self._send(self._connected(), Asked(asked.sent, asked.began, asked.is_kept, is_first=True))

    def _drop(self, at: int) -> None:
        self._sockets.pop(at).close()

    def _note(self, status: int, body: bytes, sent: bytes) -> None:
        code = json.loads(body)["code"] if status >= 400 and body.startswith(b"{") else ""
        self.statuses[f"{status} {code}".strip()] += 1
        if status not in (200, 201):
            self.failed.append(f"{_line(sent)}: {status} {body[:200]!r}")

    def _request(self, number: int) -> bytes:
        if number % WRITES:
            return request("GET", f"/v1/properties/{self._homes[number % len(self._homes)]}")
        body = {**COTTAGE, "title": f"Listed while the cluster rolls {number}"}
        return request("POST", "/v1/properties", token=self._token, body=body, key=f"roll-{os.getpid()}-{number}")


def _line(sent: bytes) -> str:
    return sent.split(b" HTTP")[0].decode()


async def run() -> dict[str, Any]:
    """Bring a cluster up, load it, roll it, take it down."""
    with TemporaryDirectory(prefix="freehold-roll-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103  # PostgreSQL runs under another account
        environment = {
            **os.environ,
            "CLUSTER_DIR": folder,
            "CLUSTER_PORT": str(PORT),
            "FREEHOLD_LIMITS": "off",
            "PYTHONPATH": f"{ROOT}:{ROOT}/scripts",
        }
        try:
            await _cluster(environment, "up")
            return await _measure(environment)
        finally:
            await _cluster(environment, "down")


async def _measure(environment: dict[str, str]) -> dict[str, Any]:
    load = Load(PORT, await _log_in(), await _homes())
    stop = threading.Event()
    began = time.monotonic()
    asking = asyncio.create_task(asyncio.to_thread(load.until, stop))
    try:
        await asyncio.sleep(QUIET_SECONDS)
        await _cluster(environment, "roll")
        await asyncio.sleep(QUIET_SECONDS)
    finally:
        stop.set()
        took = time.monotonic() - began
        await asking
    asked = len(load.seconds)
    return {
        "requests": asked,
        "per_second": round(asked / took, 1),
        "seconds": round(took, 1),
        "statuses": dict(sorted(load.statuses.items())),
        "failed": load.failed[:20],
        "latest_start_milliseconds": round(load.latest_start * 1000, 1),
        "asked_again_on_a_new_connection": load.asked_again,
        "milliseconds": {
            "p50": round(statistics.median(load.seconds) * 1000, 1),
            "p99": round(sorted(load.seconds)[int(asked * 0.99)] * 1000, 1),
            "most": round(max(load.seconds) * 1000, 1),
        },
        "targets": {
            "failed_requests": {"most": 0, "found": len(load.failed), "met": not load.failed},
            "per_second": {"least": PER_SECOND * 0.99, "found": asked / took, "met": asked / took >= PER_SECOND * 0.99},
        },
    }


async def _cluster(environment: dict[str, str], action: str) -> None:
    command = [sys.executable, "-m", "deploy.cluster", action]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, check=True)


async def _log_in() -> str:
    form = {"grant_type": "password", "username": "landlord@demo.example", "password": PASSWORD}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{PORT}") as client:
        answer = await client.post("/v1/auth/token", data=form)
        return str(answer.raise_for_status().json()["access_token"])


async def _homes() -> list[str]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{PORT}") as client:
        found = (await client.get("/v1/properties?limit=50")).raise_for_status().json()
        return [each["id"] for each in found["items"]]

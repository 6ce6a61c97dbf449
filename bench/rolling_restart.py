"""All API processes of a cluster are replaced one after the other under 200 requests a second (F08).

A cluster of its own (deploy/cluster: PostgreSQL, Redis, a broker, S3, four processes behind nginx), and an open load: a
request begins each 5 ms, whatever became of those before it. One in ten writes, with an Idempotency-Key. Half
of the clients keep their connections; where an idle one was closed they ask again on a new one, as HTTP clients do, which
is counted. About two minutes.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from services.imba.demo import PASSWORD
from services.imba.tests.world import COTTAGE
from tests.faults.wire import Answer, Connection, Gone, request

ROOT = Path(__file__).parents[1]
PORT = 18300
PER_SECOND = int(os.environ.get("ROLL_PER_SECOND", "200"))
WRITES = 10
KEPT = 24
QUIET_SECONDS = 5


@dataclass
class Load:
    """What was asked, and what became of it."""

    port: int
    token: str
    homes: list[str]
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    asked_again: int = 0

    async def until(self, stop: asyncio.Event) -> None:
        """A request each 5 ms, on a kept connection and on one of its own in turn."""
        kept: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(KEPT):
            kept.put_nowait(Connection(self.port))
        began, number = time.perf_counter(), 0
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                group.create_task(self._one(number, kept))
                number += 1
                await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        while not kept.empty():
            kept.get_nowait().hang_up()

    async def _one(self, number: int, kept: asyncio.Queue[Connection]) -> None:
        sent = self._request(number)
        if number % 2:
            connection = Connection(self.port)
            await self._ask(connection, sent, may_ask_again=False)
            connection.hang_up()
        else:
            connection = await kept.get()
            await self._ask(connection, sent, may_ask_again=connection.is_open)
            kept.put_nowait(connection)

    async def _ask(self, connection: Connection, sent: bytes, *, may_ask_again: bool) -> None:
        began = time.perf_counter()
        try:
            self._note(await connection.ask(sent), sent)
        except Gone as reason:
            if may_ask_again:
                self.asked_again += 1
                await self._ask(connection, sent, may_ask_again=False)
            else:
                self.failed.append(f"{sent.split(b' HTTP')[0].decode()}: {reason}")
        self.seconds.append(time.perf_counter() - began)

    def _note(self, answer: Answer, sent: bytes) -> None:
        self.statuses[f"{answer.status} {answer.code}".strip()] += 1
        if answer.status not in (200, 201):
            self.failed.append(f"{sent.split(b' HTTP')[0].decode()}: {answer.status} {answer.body[:200]!r}")

    def _request(self, number: int) -> bytes:
        if number % WRITES:
            return request("GET", f"/v1/properties/{self.homes[number % len(self.homes)]}")
        body = {**COTTAGE, "title": f"Listed while the cluster rolls {number}"}
        return request("POST", "/v1/properties", token=self.token, body=body, key=f"roll-{os.getpid()}-{number}")


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
    stop = asyncio.Event()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.until(stop))
        await asyncio.sleep(QUIET_SECONDS)
        await _cluster(environment, "roll")
        await asyncio.sleep(QUIET_SECONDS)
        stop.set()
    took = time.monotonic() - began
    asked = len(load.seconds)
    return {
        "requests": asked,
        "per_second": round(asked / took, 1),
        "seconds": round(took, 1),
        "statuses": dict(sorted(load.statuses.items())),
        "failed": load.failed[:20],
        "asked_again_on_a_new_connection": load.asked_again,
        "milliseconds": {
            "p50": round(statistics.median(load.seconds) * 1000, 1),
            "p99": round(sorted(load.seconds)[int(asked * 0.99)] * 1000, 1),
            "most": round(max(load.seconds) * 1000, 1),
        },
        "targets": {"failed_requests": {"most": 0, "found": len(load.failed), "met": not load.failed}},
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

"""A contender as a process of its own on a database of its own, and how it is asked, killed and looked into."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

ROOT = Path(__file__).parents[1]
START_SECONDS = 60


@dataclass(frozen=True)
class Contender:
    """How the table names it, and the command that serves it on a port.

    only_orders: bookings are left out. Where the dependency commits, it holds its connection until the background task
    is over, and the task waits for another one: under load the pool runs dry, and every request waits 30 s.
    """

    title: str
    command: tuple[str, ...]
    only_orders: bool = False


CONTENDERS = (
    Contender("stock", ("uvicorn", "proof.stock.app:app", "--log-level", "error")),
    Contender(
        "stock, commit in the dependency",
        ("uvicorn", "proof.stock.commit_in_dependency:app", "--log-level", "error"),
        only_orders=True,
    ),
    Contender("Freehold", ("freehold.cli", "serve", "proof.freehold.app:app")),
)


class Service:
    """Started and killed as often as a run wants. Rows are looked at past the service, on a connection of the judge's."""

    def __init__(self, contender: Contender, database_url: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.contender = contender
        self.database_url = database_url
        self._log = folder / "log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")},
            "FREEHOLD_DATABASE_URL": database_url,
            "FREEHOLD_VAR_DIR": str(folder),
            "FREEHOLD_LIMITS": "off",
            "FREEHOLD_LOG_LEVEL": "error",
        }
        self._process: subprocess.Popen[bytes] | None = None
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=64)
        address = f"http://127.0.0.1:{self._port}"
        self._client = httpx2.AsyncClient(base_url=address, timeout=30, limits=limits, trust_env=False)
        self._judge = create_async_engine(database_url)

    @property
    def port(self) -> int:
        """Where it listens, also while it is down."""
        return self._port

    async def start(self) -> float:
        """Start it and wait until it answers; the seconds that took. Raises RuntimeError with its log otherwise."""
        began = time.monotonic()
        self._process = self._run()
        while not await self._is_ready():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise RuntimeError(f"{self.contender.title} does not start:\n{self._log.read_text()[-2000:]}")
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    def _run(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *self.contender.command, "--port", str(self._port)]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    async def _is_ready(self) -> bool:
        try:
            return (await self._client.get("/health/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """Kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def close(self) -> None:
        """Whatever it was doing."""
        self.kill()
        await self._client.aclose()
        await self._judge.dispose()

    async def get(self, path: str, *, guest: UUID) -> Any:
        """The body of a GET; None where the guest may not have it."""
        answer = await self._client.get(path, headers=_headers(guest))
        return answer.json() if answer.status_code == 200 else None

    async def post(self, path: str, body: Mapping[str, Any], *, guest: UUID, key: str = "") -> httpx2.Response:
        """Raises httpx2.TransportError where no answer came."""
        return await self._client.post(path, json=body, headers=_headers(guest, key))

    async def insist(self, path: str, body: Mapping[str, Any], *, guest: UUID, key: str) -> httpx2.Response:
        """As a careful client does: the same request with the same key until a whole answer came that is no 5xx."""
        while True:
            try:
                answer = await self.post(path, body, guest=guest, key=key)
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
                continue
            in_flight = answer.status_code == 409 and "idempotency.in_flight" in answer.text
            if answer.status_code < 500 and not in_flight:
                return answer
            await asyncio.sleep(0.02)

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        """What the database holds."""
        async with self._judge.connect() as connection:
            return (await connection.execute(text(statement), values)).all()


def _headers(guest: UUID, key: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {guest}"} | ({"Idempotency-Key": f'"{key}"'} if key else {})

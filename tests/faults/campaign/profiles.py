"""The two shapes that a service has: one process on SQLite, and many on PostgreSQL with everything beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from bench.versus import cpu
from deploy.cluster import servers
from deploy.cluster.layout import Layout
from deploy.cluster.processes import Program
from deploy.cluster.service import environment, freehold
from tests.faults.campaign.proxy import Proxy
from tests.faults.served import IMBA, PUBLIC_URL, ROOT, SECRET
from tests.faults.wire import Gone, ask, request

from find_programs import libfaketime

LIB_FAKETIME = str(libfaketime() or "")


class Profile:
    """Programs that can be killed one by one and started again. apis: the ports where it is asked.

    moves_clock: the first API process reads the time through libfaketime.
    """

    name = ""
    url = ""
    _serving: tuple[str, ...] = ()

    def __init__(self, folder: Path, base: int, *, moves_clock: bool = False) -> None:
        self.folder = folder
        self._moves_clock = moves_clock
        self.layout = Layout(folder, base, apis=3, workers=2)
        self.apis: dict[Program, int] = {}
        self.workers: list[Program] = []
        self.servers: dict[str, servers.Server] = {}
        self.proxies: dict[str, Proxy] = {}
        self._settings: dict[str, str] = {}

    @property
    def ports(self) -> list[int]:
        return list(self.apis.values())

    @property
    def clock(self) -> Path:
        """What libfaketime reads: the offset of the first API process's clock."""
        return self.folder / "clock"

    @property
    def mail(self) -> Path:
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError

    async def start_api(self, program: Program) -> float:
        """Start it and wait until it is ready; the seconds that took."""
        began = time.monotonic()
        program.start()
        while not await is_ready(self.apis[program]):
            assert program.pid is not None, program.log.read_text()[-3000:]
            assert time.monotonic() - began < 120, program.log.read_text()[-3000:]
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def retry(self, jobs: Iterable[UUID]) -> None:
        """Let dead jobs start anew, as whoever looks after the service does."""
        command = freehold("jobs", "retry", *map(str, jobs), "--app", IMBA)
        await asyncio.to_thread(subprocess.run, command, env=os.environ | self._settings, cwd=ROOT, check=True)

    async def keep_workers(self, stop: asyncio.Event) -> None:
        """As a process manager does: one that has ended, for it met no database at its start, is started again."""
        while not stop.is_set():
            for worker in self.workers:
                worker.start()
            await asyncio.sleep(1)

    async def stop(self) -> None:
        for program in (*self.apis, *self.workers):
            await asyncio.to_thread(kill_all, program)  # what is left of one would serve on for a while
        for server in reversed(self.servers.values()):
            await asyncio.to_thread(kill, server.program)
        for proxy in self.proxies.values():
            await proxy.close()

    def _api(self, number: int, settings: dict[str, str]) -> None:
        self._settings = settings
        port = self.layout.api(number)
        if number == 1 and self._moves_clock:  # only then: whatever waits is slower under libfaketime
            self.clock.write_text("+0")
            settings = settings | {
                "LD_PRELOAD": LIB_FAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        command = freehold("serve", IMBA, "--port", str(port), *self._serving)
        self.apis[Program(f"api-{number}", command, self.folder, settings)] = port


class Embedded(Profile):
    """`freehold serve` with no more than a folder."""

    name = "embedded"

    def __init__(self, folder: Path, base: int, *, moves_clock: bool = False) -> None:
        super().__init__(folder, base, moves_clock=moves_clock)
        self.url = f"sqlite+aiosqlite:///{folder}/var/freehold.db"
        self._api(1, COMMON | {"FREEHOLD_VAR_DIR": str(folder / "var"), "PYTHONPATH": f"{ROOT}:{ROOT}/src"})

    @property
    def mail(self) -> Path:
        return self.folder / "var" / "mail"

    async def start(self) -> None:
        for program in self.apis:
            await self.start_api(program)


class Cluster(Profile):
    """Three API processes, two workers; PostgreSQL, Redis and NATS behind proxies that can be cut."""

    name = "cluster"
    _serving = ("--no-migrate",)  # as in deploy/: once, before any of them

    def __init__(self, folder: Path, base: int, *, moves_clock: bool = False) -> None:
        super().__init__(folder, base, moves_clock=moves_clock)
        self.url = f"postgresql+asyncpg://postgres@127.0.0.1:{self.layout.postgres}/imba"
        self.servers = {each.program.name: each for each in servers.servers(self.layout)}

    @property
    def mail(self) -> Path:
        return self.folder / "mail" / "new"

    async def start(self) -> None:
        for server in self.servers.values():
            await asyncio.to_thread(server.bring_up)
        self.proxies = {name: Proxy(getattr(self.layout, name)) for name in ("postgres", "redis", "nats")}
        for proxy in self.proxies.values():
            await proxy.start()
        given = (
            environment(self.layout)
            | COMMON
            | {
                "FREEHOLD_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{self.proxies['postgres'].port}/imba",
                "FREEHOLD_REDIS_URL": f"redis://127.0.0.1:{self.proxies['redis'].port}/0",
                "FREEHOLD_BROKER_URL": f"nats://127.0.0.1:{self.proxies['nats'].port}",
                "FREEHOLD_JOBS": "apart",
            }
        )
        migrate = freehold("migrate", "up", "--app", IMBA)
        await asyncio.to_thread(subprocess.run, migrate, env=os.environ | given, cwd=ROOT, check=True)
        for number in (1, 2, 3):
            self._api(number, given)
        for program in self.apis:
            await self.start_api(program)
        self.workers = [Program(f"worker-{number}", freehold("worker", IMBA), self.folder, given) for number in (1, 2)]
        for worker in self.workers:
            worker.start()


COMMON = {
    "FREEHOLD_ENV": "test",
    "FREEHOLD_SECRET": SECRET,
    "FREEHOLD_PUBLIC_URL": PUBLIC_URL,
    "FREEHOLD_LIMITS": "off",
    "FREEHOLD_LOG_LEVEL": "warning",
    "FREEHOLD_ALLOWED_RECEIVERS": "127.0.0.1",
}


async def is_ready(port: int) -> bool:
    try:
        return (await ask(port, request("GET", "/health/ready"))).status == 200
    except Gone:
        return False


def kill(program: Program) -> None:
    """kill -9, and wait until it is gone. Of PostgreSQL: the postmaster alone, whose children end by themselves."""
    replace(program, ends_by=signal.SIGKILL).stop()


def kill_all(program: Program) -> None:
    """kill -9 of every process of a program, which leads its own session."""
    if program.pid is not None:
        os.killpg(program.pid, signal.SIGKILL)
    kill(program)


def serving(program: Program, *, seconds: float = 120.0) -> int:
    """Its process that serves: what is forked from its template. Waits where another one is about to be."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for template in cpu.children(program.pid or 0):
            for worker in cpu.children(template):
                return worker
        time.sleep(0.02)
    raise AssertionError(program.log.read_text()[-3000:])

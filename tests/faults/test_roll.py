"""F08: the workers of a service are replaced one by one under load."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import Server, World, people
from tests.faults.test_endings import houses
from tests.faults.wire import Connection, Gone, ask, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(600)]

WORKERS = 4
ROLLS = 2


class Load:
    """Clients at a steady pace: reads, and every fourth time a write. Connections are kept as long as the server keeps them."""

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.port = port
        self.stop = asyncio.Event()
        self.statuses: Counter[int | str] = Counter()
        self.written = 0
        self.slowest = 0.0

    async def go(self, number: int, pause: float) -> None:
        with crowd(1, self.port) as (client,):
            turn = 0
            while not self.stop.is_set():
                await asyncio.sleep(pause)
                await self._once(client, number, turn)
                turn += 1

    async def _once(self, client: Connection, number: int, turn: int) -> None:
        is_write = turn % 4 == 0
        sent = self.world.draft(f"Roll {number}-{turn}") if is_write else request("GET", "/v1/properties?limit=5")
        try:
            answer = await client.ask(sent)
        except Gone as gone:
            self.statuses[f"gone: {gone}"] += 1
            return
        self.statuses[answer.status] += 1
        self.written += answer.status == 201
        self.slowest = max(self.slowest, answer.seconds)


async def test_F08_rolled_under_load_no_request_fails(
    postgres_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    server = serve(postgres_url, FREEHOLD_WORKERS=str(WORKERS))
    await server.start()
    world = await people(postgres_url, tmp_path)
    load = Load(world, server.port)
    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(load.go(number, 0.2))  # 200 a second together
        began = time.monotonic()
        for roll in range(1, ROLLS + 1):
            server.signal(signal.SIGHUP)
            while server.log.read_text().count("new workers serve") < roll:  # another process writes it
                assert time.monotonic() - began < 300, server.log.read_text()
                await asyncio.sleep(0.2)
        took = time.monotonic() - began
        await asyncio.sleep(12)  # past the time that the last of the old ones has
        load.stop.set()
    assert (await ask(server.port, request("GET", "/health/ready"))).status == 200
    figures(
        rolls=ROLLS,
        workers=WORKERS,
        seconds=f"{took:.0f}",
        answers=dict(load.statuses),
        slowest=f"{load.slowest:.2f} s",
    )
    assert set(load.statuses) == {200, 201}
    assert await houses(postgres_url, "Roll %") == load.written
    server.signal(signal.SIGTERM)
    assert await server.ended(60) == 0

"""More than a process can bear: what it cannot do it says at once, and what it takes on it does (F10, F11)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import Server, people
from tests.faults.wire import Answer, Connection, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]

PAGE = request("GET", "/v1/properties?limit=5")
LIVE = request("GET", "/health/live")


async def best(port: int, seconds: float) -> float:
    """Answers a second, asked for by as many clients as it takes to keep the process busy."""
    statuses, until = Counter[int](), time.monotonic() + seconds

    async def ask(client: Connection) -> None:
        while time.monotonic() < until:
            statuses[(await client.ask(PAGE)).status] += 1

    with crowd(16, port) as clients:
        await asyncio.gather(*map(ask, clients))
    return statuses[200] / seconds


async def press(port: int, rate: float, seconds: float) -> list[Answer]:
    """Ask so many times a second, whether or not the earlier ones are answered."""
    answers: list[Answer] = []
    with crowd(1_000, port) as clients:
        until = time.monotonic() + seconds

        async def ask(client: Connection) -> None:
            while True:
                pause = random.expovariate(rate / len(clients))
                if time.monotonic() + pause > until:
                    return
                await asyncio.sleep(pause)
                answers.append(await client.ask(PAGE))

        await asyncio.gather(*map(ask, clients))
    return answers


def memory_of(server: Server) -> float:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def test_F11_at_four_times_its_load_it_does_nearly_as_much_as_at_its_best(
    tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/load.db"
    server = serve(url, FREEHOLD_CACHE_LIMIT="0", FREEHOLD_LOG_LEVEL="info")
    await server.start()
    await people(url, tmp_path, houses=100)
    await best(server.port, 1)
    at_best = await best(server.port, 5)
    before = memory_of(server)
    pressing = asyncio.create_task(press(server.port, 4 * at_best, 10))
    probes = []
    with crowd(1, server.port) as (prober,):
        while not pressing.done():
            probes.append(await prober.ask(LIVE))
            await asyncio.sleep(0.2)
    answers = await pressing
    after = memory_of(server)
    back = time.monotonic()
    with crowd(1, server.port) as (client,):
        while (await client.ask(PAGE)).status != 200 or (await client.ask(PAGE)).seconds > 0.2:
            assert time.monotonic() - back < 5
    good = [answer.seconds for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    figures(
        **{
            "best": f"{at_best:.0f}/s", "asked": f"{len(answers) / 10:.0f}/s", "good": f"{len(good) / 10:.0f}/s",
            "share": f"{len(good) / 10 / at_best:.0%}", "refused": len(refused),
            "slowest good": f"{max(good):.2f} s", "slowest probe": f"{max(p.seconds for p in probes):.2f} s",
            "memory": f"{before:.0f} to {after:.0f} MiB",
        }
    )  # fmt: skip
    assert len(good) + len(refused) == len(answers)
    assert {answer.code for answer in refused} == {"service.at_capacity"}
    assert all("retry-after" in answer.headers for answer in refused)
    assert {probe.status for probe in probes} == {200}
    assert len(good) / 10 > 0.8 * at_best
    assert after < before * 1.5 + 50

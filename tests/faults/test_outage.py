"""The database goes away under load and comes back, and a second service shares a file (F15, X09, V11)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from tests.faults.served import Server, World, people
from tests.faults.stopped import stranger_writes
from tests.faults.test_endings import houses
from tests.faults.wire import Answer, Connection, ask, at_once, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

WRITERS = 8


async def cut_all(url: str, *, admit: bool) -> None:
    """End every connection to the database; let new ones in, or not."""
    base, _, name = url.replace("+asyncpg", "").rpartition("/")
    connection = await asyncpg.connect(f"{base}/postgres")
    try:
        await connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {str(admit).lower()}")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await connection.close()


class Load:
    """Clients that list houses until told to stop, each write repeated with its key until it is acknowledged."""

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        self._port = port
        self.answers: list[tuple[float, Answer]] = []
        self.acknowledged: set[str] = set()
        self.stop = asyncio.Event()

    async def write(self, number: int) -> None:
        with crowd(1, self._port) as (client,):
            turn = 0
            while not self.stop.is_set():
                await self._carry_through(client, f"Outage {number}-{turn}")
                turn += 1

    async def _carry_through(self, client: Connection, title: str) -> None:
        while True:
            answer = await client.ask(self._world.draft(title, key=title.replace(" ", "-")))
            self.answers.append((time.monotonic(), answer))
            if answer.status == 201:
                self.acknowledged.add(title)
                return
            assert answer.status in (409, 503), (answer.status, answer.body)
            assert "retry-after" in answer.headers
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("seconds_away", [pytest.param(0, marks=pytest.mark.faults), 2])
async def test_X09_postgresql_goes_away_and_the_server_recovers_by_itself(
    postgres_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], seconds_away: float
) -> None:
    server = serve(postgres_url)
    await server.start()
    world = await people(postgres_url, tmp_path)
    load = Load(world, server.port)
    async with asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(load.write(number))
        await asyncio.sleep(1)
        await cut_all(postgres_url, admit=not seconds_away)
        await asyncio.sleep(seconds_away)
        await cut_all(postgres_url, admit=True)
        back = time.monotonic()
        await asyncio.sleep(5)
        load.stop.set()
    successes = [moment for moment, answer in load.answers if answer.status == 201]
    first = min(moment for moment in successes if moment > back)
    assert first - back < 5
    late = [answer.status for moment, answer in load.answers if moment > back + 2.5]
    assert set(late) == {201}, "healed for good"
    statuses = Counter(answer.status for _, answer in load.answers)
    assert statuses[503] > 0, "the outage was not met at all"
    assert (await ask(server.port, request("GET", "/health/ready"))).status == 200
    assert await houses(postgres_url, "Outage %") == len(load.acknowledged)
    figures(**{"answers": dict(statuses), "first success after": f"{first - back:.2f} s"})


@pytest.mark.faults
async def test_F15_two_services_on_one_file_take_turns(
    tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    servers = [serve(url), serve(url)]
    for server in servers:
        await server.start()
    world = await people(url, tmp_path, tenants=2)
    with crowd(16, *(server.port for server in servers)) as clients:
        answers = []
        for turn in range(12):
            wanted = [world.draft(f"Shared {turn}-{number}") for number in range(15)]
            # One night of one house, asked for at both.
            wanted[13] = world.stay(0, 0, turn)
            wanted.append(world.stay(1, 0, turn))
            answers.append(await at_once(clients, wanted))
    for found in answers:
        assert [answer.status for answer in found[:13]] == [201] * 13
    assert await houses(url, "Shared %") == 12 * 14
    nights = [sorted((found[13].status, found[15].status)) for found in answers]
    assert nights == [[201, 409]] * 12
    figures(writes=12 * 16, longest=f"{max(answer.seconds for found in answers for answer in found):.3f} s")


async def test_F15_a_program_that_knows_nothing_of_the_lock_file_is_waited_for_or_503(
    tmp_path: Path, serve: Callable[..., Server]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/shared.db"
    server = serve(url, FREEHOLD_DEADLINE_SECONDS="2")
    await server.start()
    world = await people(url, tmp_path)
    sent = world.draft("Beside a stranger", key="stranger")
    async with stranger_writes(f"{tmp_path}/shared.db"):
        waited = asyncio.create_task(ask(server.port, sent))
        await asyncio.sleep(0.5)
        # Reads go on, and so does the process: only writers wait.
        assert (await ask(server.port, request("GET", "/v1/properties"))).seconds < 0.5
    assert (await waited).status == 201
    async with stranger_writes(f"{tmp_path}/shared.db"):
        refused = await ask(server.port, world.draft("Too long", key="too-long"))
        assert (refused.status, "retry-after" in refused.headers) == (503, True)
        assert refused.seconds < 3
    again = await ask(server.port, world.draft("Too long", key="too-long"))
    assert (again.status, again.seconds < 1) == (201, True)
    assert await houses(url, "Too long") == 1

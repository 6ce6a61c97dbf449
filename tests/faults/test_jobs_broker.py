"""Jobs apart from the service: the broker killed, the workers killed and stopped (J01, J02, F04, F07)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.faults import works_app
from tests.faults.served import ROOT, Server
from tests.faults.wire import ask, request
from tests.jobs.brokers import OwnNats

from freehold.jobs.overview import backlogs
from freehold.jobs.tables import JOBS, State
from freehold.resource.principal import system
from freehold.store.database import Database

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(600)]

TARGET = "tests.faults.works_app:app"
AWAY_SECONDS = float(os.environ.get("FREEHOLD_TEST_BROKER_AWAY_SECONDS", "10"))


@pytest.fixture
def nats() -> Iterator[OwnNats]:
    server = OwnNats()
    server.start()
    yield server
    server.kill()


class Worker(Server):
    """`freehold worker` in place of `freehold serve`."""

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "freehold.cli", "worker", TARGET, "--processes", "2", "--port", str(self.port)],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def kill(self) -> None:
        """The supervisor and its processes, at one moment."""
        self.close()

    def close(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
async def service(
    postgres_url: str, tmp_path: Path, nats: OwnNats, serve: Callable[..., Server]
) -> AsyncIterator[tuple[Server, Callable[[], Worker]]]:
    """Served, with its tables; and how to make workers for it."""
    options = {"FREEHOLD_JOBS": "apart", "FREEHOLD_BROKER_URL": nats.url}
    workers: list[Worker] = []
    server = serve(postgres_url, target=TARGET, **options)
    await server.start()

    def worker() -> Worker:
        workers.append(Worker(postgres_url, tmp_path, target=TARGET, **options))
        return workers[-1]

    yield server, worker
    for each in workers:
        each.close()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # the state is in a database
            await asyncio.sleep(0.1)


async def order(server: Server, text: str) -> float:
    answer = await ask(server.port, request("POST", "/v1/orders", body={"text": text}))
    assert answer.status == 201, answer.body
    return answer.seconds


async def packed(database: Database) -> list[str]:
    async with database.reading(system("test")) as session:
        return list(await session.scalars(select(works_app.EFFECTS.c.note).order_by(works_app.EFFECTS.c.id)))


async def states(database: Database) -> list[str]:
    async with database.reading(system("test")) as session:
        return list(await session.scalars(select(JOBS.c.state).where(JOBS.c.name.like("works.%"))))


def assert_once_and_in_order(notes: list[str], sent: list[str]) -> None:
    assert Counter(notes) == Counter(sent)
    by_order = defaultdict(list)
    for note in notes:
        key, _, number = note.partition("-")
        by_order[key].append(int(number))
    assert all(numbers == sorted(numbers) for numbers in by_order.values())


async def test_J01_a_broker_that_is_killed_costs_no_request_and_no_job(
    service: tuple[Server, Callable[[], Worker]], postgres_url: str, nats: OwnNats, figures: Callable[..., None]
) -> None:
    server, make = service
    worker = make()
    await worker.start()
    database = Database.open(postgres_url)
    await database.start()
    sent: list[str] = []
    seconds: dict[str, list[float]] = {"there": [], "away": []}

    async def order_on(kind: str, length: float) -> None:
        ends = asyncio.get_running_loop().time() + length
        while asyncio.get_running_loop().time() < ends:
            sent.append(f"{len(sent) % 5}-{len(sent)}")
            seconds[kind].append(await order(server, sent[-1]))
            await asyncio.sleep(0.02)

    async def done() -> bool:
        return len(await packed(database)) == len(sent)

    await order_on("there", 3)
    await until(done)
    nats.kill()
    await order_on("away", AWAY_SECONDS)
    await until(done)  # by polling
    nats.start()
    await order_on("there", 3)
    await until(done)
    assert_once_and_in_order(await packed(database), sent)
    await database.close()
    text = server.log.read_text()
    assert text.count("broker_away") == 1
    assert text.count("broker_is_back") == 1
    medians = {kind: sorted(each)[len(each) // 2] * 1000 for kind, each in seconds.items()}
    figures(sent=len(sent), **{f"{kind}_ms": round(each, 1) for kind, each in medians.items()})


async def test_J02_workers_killed_at_any_moment_leave_each_effect_once_and_in_order(
    service: tuple[Server, Callable[[], Worker]], postgres_url: str, figures: Callable[..., None]
) -> None:
    server, make = service
    database = Database.open(postgres_url)
    await database.start()
    sent: list[str] = []
    rounds = 6
    for _ in range(rounds):
        worker = make()
        await worker.start()
        for _ in range(30):
            sent.append(f"{len(sent) % 3}-{len(sent)}")
            await order(server, sent[-1])
        await asyncio.sleep(random.uniform(0, 0.3))
        await worker.kill()
    last = make()
    await last.start()

    async def done() -> bool:
        async with database.reading(system("test")) as session:
            return not [each for each in await backlogs(session) if each.name == "works.pack"]

    await until(done, 120)
    assert_once_and_in_order(await packed(database), sent)
    await database.close()
    figures(kills=rounds, jobs=len(sent))


async def test_F07_a_worker_that_is_told_to_stop_ends_in_order_and_at_the_second_word_at_once(
    service: tuple[Server, Callable[[], Worker]], postgres_url: str
) -> None:
    server, make = service
    database = Database.open(postgres_url)
    await database.start()

    async def running() -> bool:
        return State.RUNNING in await states(database)

    worker = make()
    await worker.start()
    await order(server, "a-1")

    async def done() -> bool:
        return await states(database) == [State.DONE]

    await until(done)
    worker.signal(signal.SIGTERM)
    assert await worker.ended(20) == 0
    worker = make()
    await worker.start()
    await order(server, "rest")
    await until(running)
    worker.signal(signal.SIGTERM)
    await asyncio.sleep(1)
    assert await running()  # it has 30 s
    worker.signal(signal.SIGTERM)
    await worker.ended(10)
    await database.close()

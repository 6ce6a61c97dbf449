"""Workers killed with SIGKILL while they work: each effect once, each outside effect at least once (J02, F01)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from tests.faults import jobs_worker

from freehold.jobs import dead_letters, retry_dead
from freehold.jobs.tables import JOBS, TRACKS, State
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.ledger import LEDGER

pytestmark = pytest.mark.anyio

WORKERS = 2
JOBS_PER_ROUND = 30


async def start_worker(url: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, jobs_worker.__file__, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while (line := await process.stdout.readline()) != b"ready\n":
            assert line, "the worker died before it was ready"
    return process


async def enqueue(database: Database, names: list[str], folder: Path) -> set[UUID]:
    """One unit per job, as requests do; the ids of the outside ones."""
    outside: set[UUID] = set()
    for name in names:
        async with database.writing(system("test")) as unit:
            await jobs_worker.inside.enqueue(unit.session, text=name)
            outside.add(await jobs_worker.outside.enqueue(unit.session, folder=str(folder)))
    return outside


async def one_round(database: Database, url: str, names: list[str], folder: Path) -> set[UUID]:
    """Enqueue while workers work, and kill them at a moment that nobody chose."""
    workers = [await start_worker(url) for _ in range(WORKERS)]
    enqueuing = asyncio.create_task(enqueue(database, names, folder))
    await asyncio.sleep(random.uniform(0.02, 0.5))
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        await worker.communicate()
    return await enqueuing


async def finish(database: Database) -> None:
    """A last worker, never killed, ends what is left; the poison ones are tried again by hand."""
    jobs = jobs_worker.runner(database)
    await jobs.start()
    async with asyncio.timeout(60):
        while True:
            async with database.writing(system("test")) as unit:
                for letter in await dead_letters(unit.session):
                    assert letter.error.startswith("poison")
                    await retry_dead(unit.session, letter.id)
            async with database.reading(system("test")) as session:
                open_jobs = select(func.count()).select_from(JOBS).where(JOBS.c.state != State.DONE)
                if not await session.scalar(open_jobs):
                    break
            await asyncio.sleep(0.2)
    await jobs.stop()
    await jobs.run_pending()  # and what the outbox still owes


async def kill_rounds(url: str, folder: Path, rounds: int) -> None:
    database = Database.open(url)
    await database.start()
    async with database.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(jobs_worker.METADATA.create_all)
    expected: list[str] = []
    outside: set[UUID] = set()
    for number in range(rounds):
        names = [f"{number}-{index}" for index in range(JOBS_PER_ROUND)]
        outside |= await one_round(database, url, names, folder)
        expected += names
    await finish(database)
    async with database.reading(system("test")) as session:
        effects = (await session.execute(select(jobs_worker.EFFECTS.c.note))).scalars().all()
        deliveries = (await session.execute(select(jobs_worker.DELIVERIES.c.note))).scalars().all()
    await database.close()
    assert Counter(effects) == Counter(expected)
    assert Counter(deliveries) == Counter(expected)
    assert {UUID(name) for name in os.listdir(folder)} == outside  # noqa: PTH208  # names are all there is


@pytest.mark.faults
async def test_J02_a_tracked_job_goes_on_from_its_step_after_sigkill(database_url: str, tmp_path: Path) -> None:
    log, number, kills = tmp_path / "steps", 30, 2
    log.touch()
    database = Database.open(database_url)
    await database.start()
    async with database.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(jobs_worker.METADATA.create_all)
    async with database.writing(system("test")) as unit:
        await jobs_worker.steps.enqueue(unit.session, log=str(log), number=number)
    began: list[int] = []
    for _ in range(kills):
        worker, before = await start_worker(database_url), len(began)
        async with asyncio.timeout(30):
            while len(began) < before + 6:
                await asyncio.sleep(0.01)
                began = [int(line) for line in log.read_text().split()]
        worker.send_signal(signal.SIGKILL)
        await worker.communicate()
        began = [int(line) for line in log.read_text().split()]
    await finish(database)
    began = [int(line) for line in log.read_text().split()]
    async with database.reading(system("test")) as session:
        effects = (await session.execute(select(jobs_worker.EFFECTS.c.note))).scalars().all()
        progress = await session.scalar(select(TRACKS.c.progress))
    await database.close()
    assert Counter(effects) == {f"step {step}": 1 for step in range(1, number + 1)}
    assert set(began) == set(range(1, number + 1))
    assert len(began) <= number + kills  # the step that was under way at each kill, and no other, began again
    assert began == sorted(began)
    assert progress["done"] == number


@pytest.mark.long
async def test_J03_of_jobs_that_die_together_only_the_one_that_kills_is_parked(database_url: str) -> None:
    database = Database.open(database_url)
    await database.start()
    async with database.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(jobs_worker.METADATA.create_all)
    texts = ["one", "two", "three"]
    async with database.writing(system("test")) as unit:
        for text in texts:
            await jobs_worker.slow.enqueue(unit.session, text=text)
        await jobs_worker.poison.enqueue(unit.session)
    deaths, worker = 0, await start_worker(database_url)
    async with asyncio.timeout(120):
        while await count(database, State.READY, State.RUNNING):
            if worker.returncode is not None:
                deaths, worker = deaths + 1, await start_worker(database_url)
            await asyncio.sleep(0.1)
    if worker.returncode is None:
        worker.kill()
    await worker.communicate()
    async with database.reading(system("test")) as session:
        (letter,) = await dead_letters(session)
        effects = (await session.execute(select(jobs_worker.EFFECTS.c.note))).scalars().all()
    await database.close()
    assert letter.name == "kill.poison"
    assert Counter(effects) == Counter(texts)
    assert deaths == 5


async def count(database: Database, *states: State) -> int:
    async with database.reading(system("test")) as session:
        found = select(func.count()).select_from(JOBS).where(JOBS.c.state.in_(states))
        return int(await session.scalar(found) or 0)


@pytest.mark.slow
async def test_J02_a_killed_worker_leaves_each_effect_once(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    await kill_rounds(database_url, folder, 1)


@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_F01_workers_killed_25_times_leave_each_effect_once(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    await kill_rounds(database_url, folder, 25)

"""The started runner: wakes, shares, stops, survives."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.jobs.effects import note, notes, states
from tests.waiting import until

from freehold.errors import ConfigurationError
from freehold.jobs import Jobs, job, schedule
from freehold.jobs.looking import Look
from freehold.jobs.tables import JOBS
from freehold.observe.metrics import Metrics
from freehold.resource.base import new_id
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.session import Session

pytestmark = pytest.mark.anyio

# So long that only a wake-up can explain what happens within a test.
ASLEEP = timedelta(minutes=5)


@job("test.note")
async def write_note(db: Session, *, text: str) -> None:
    await note(db, text)


async def enqueue(database: Database, *texts: str) -> None:
    async with database.writing(system("test")) as unit:
        for text in texts:
            await write_note.enqueue(unit.session, text=text)


async def all_done(database: Database) -> bool:
    return set(await states(database)) == {"done"}


async def test_a_commit_wakes_the_runner(database: Database) -> None:
    jobs = Jobs(database, jobs=[write_note], poll=ASLEEP)
    await jobs.start()
    await asyncio.sleep(0.1)  # it has looked and found nothing
    await enqueue(database, "woken")
    await until(lambda: all_done(database))
    await jobs.stop()
    assert await notes(database) == ["woken"]


async def test_polling_finds_what_another_process_left(database: Database) -> None:
    await enqueue(database, "found")
    jobs = Jobs(database, jobs=[write_note], poll=timedelta(milliseconds=20))
    await jobs.start()
    await until(lambda: all_done(database))
    await jobs.stop()


async def test_J02_two_runners_on_one_database_run_each_job_once(module_database: str, database: Database) -> None:
    other = Database.open(module_database)
    await other.start()
    runners = [Jobs(one, jobs=[write_note], poll=timedelta(milliseconds=20)) for one in (database, other)]
    texts = [str(number) for number in range(40)]
    await enqueue(database, *texts)
    for one in runners:
        await one.start()
    await until(lambda: all_done(database))
    for one in runners:
        await one.stop()
    await other.close()
    assert Counter(await notes(database)) == Counter(texts)


async def test_F07_stopping_lets_a_running_job_end(database: Database) -> None:
    started = asyncio.Event()

    @job("test.slow", outside=True)
    async def slow(db: Session) -> None:
        started.set()
        await asyncio.sleep(0.2)

    async with database.writing(system("test")) as unit:
        await slow.enqueue(unit.session)
    jobs = Jobs(database, jobs=[slow])
    await jobs.start()
    await started.wait()
    await jobs.stop(timedelta(seconds=10))
    assert await states(database) == ["done"]


async def test_F07_stopping_gives_back_what_does_not_end(database: Database) -> None:
    started = asyncio.Event()

    @job("test.endless")
    async def endless(db: Session) -> None:
        await note(db, "half")
        started.set()
        await asyncio.sleep(60)

    async with database.writing(system("test")) as unit:
        await endless.enqueue(unit.session)
    jobs = Jobs(database, jobs=[endless])
    await jobs.start()
    await started.wait()
    await jobs.stop(timedelta(milliseconds=50))
    assert await notes(database) == []
    async with database.reading(system("test")) as session:
        row = (await session.execute(select(JOBS.c.state, JOBS.c.attempts, JOBS.c.lease_token))).one()
    assert tuple(row) == ("ready", 0, None)


async def test_J02_a_job_whose_lease_was_taken_is_stopped(database: Database) -> None:
    ended = asyncio.Event()

    @job("test.outside", outside=True, lease=timedelta(seconds=1))
    async def long(db: Session) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with database.writing(system("test")) as unit:
        await long.enqueue(unit.session)
    jobs = Jobs(database, jobs=[long])
    await jobs.start()

    async def running() -> bool:
        return await states(database) == ["running"]

    await until(running)
    async with database.writing(system("another worker")) as unit:
        await unit.session.execute(update(JOBS).values(lease_token=new_id()))
    async with asyncio.timeout(10):
        await ended.wait()
    await jobs.stop(timedelta(0))
    assert await states(database) == ["running"]  # the other worker's, untouched


@pytest.mark.long
async def test_a_lease_is_extended_while_its_job_runs(database: Database) -> None:
    runs = 0

    @job("test.long", outside=True, lease=timedelta(seconds=3))
    async def long(db: Session) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(5)

    async with database.writing(system("test")) as unit:
        await long.enqueue(unit.session)
    runners = [Jobs(database, jobs=[long], poll=timedelta(milliseconds=100)) for _ in range(2)]
    for one in runners:
        await one.start()
    await until(lambda: all_done(database))
    for one in runners:
        await one.stop()
    assert runs == 1


@pytest.mark.long
async def test_F01_a_worker_cancelled_at_any_await_leaves_one_effect_or_none(database: Database) -> None:
    """Cancel a little later each time: whatever was cut off, the job is done once in the end."""
    texts = [str(number) for number in range(25)]
    for number, text in enumerate(texts):
        await enqueue(database, text)
        jobs = Jobs(database, jobs=[write_note], poll=timedelta(milliseconds=20))
        await jobs.start()
        await asyncio.sleep(number * 0.0015)
        await jobs.stop(timedelta(0))
    assert "dead" not in await states(database)
    await Jobs(database, jobs=[write_note]).run_pending()
    assert sorted(await notes(database)) == sorted(texts)
    assert set(await states(database)) == {"done"}


async def test_J03_a_job_that_fails_leaves_the_runner_at_work(database: Database) -> None:
    @job("test.fail")
    async def fail(db: Session) -> None:
        raise RuntimeError

    async with database.writing(system("test")) as unit:
        await fail.enqueue(unit.session)
    jobs = Jobs(database, jobs=[fail, write_note], concurrency=1, poll=ASLEEP)
    await jobs.start()
    await enqueue(database, "other")

    async def other_is_done() -> bool:
        return await notes(database) == ["other"]

    await until(other_is_done)
    await jobs.stop()


async def test_a_runner_outlives_an_error_of_its_own(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(database, jobs=[write_note], poll=timedelta(milliseconds=20))
    look = jobs._taker.look
    looks = 0

    async def away_at_first(held: Any, **asked: Any) -> Look:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ConnectionError
        return await look(held, **asked)

    monkeypatch.setattr(jobs._taker, "look", away_at_first)
    await jobs.start()
    await enqueue(database, "afterwards")
    await until(lambda: all_done(database))
    await jobs.stop()


async def test_a_runner_starts_once(database: Database) -> None:
    jobs = Jobs(database)
    await jobs.start()
    with pytest.raises(RuntimeError, match="started"):
        await jobs.start()
    await jobs.stop()


def test_two_jobs_or_schedules_of_one_name_are_refused() -> None:
    @job("test.note")
    async def same_name(db: Session) -> None: ...

    with pytest.raises(ConfigurationError, match=r"job names.*test\.note"):
        Jobs(None, jobs=[write_note, same_name])  # type: ignore[arg-type]

    hourly = schedule("hourly", every=timedelta(hours=1), payload={"text": "x"})
    with pytest.raises(ConfigurationError, match=r"schedule names.*hourly"):
        Jobs(None, jobs=[hourly(hourly(write_note))])  # type: ignore[arg-type]


async def test_J05_tries_and_the_oldest_waiting_job_are_metrics(database: Database) -> None:
    metrics = Metrics()
    jobs = Jobs(database, jobs=[write_note], metrics=metrics, poll=timedelta(milliseconds=20))
    await enqueue(database, "x")
    await jobs._housekeeping.measure()
    (oldest,) = [line for line in metrics.exposition().decode().splitlines() if line.startswith("freehold_jobs_oldest")]
    assert float(oldest.split()[1]) > 0
    await jobs.start()
    await until(lambda: all_done(database))
    await jobs.stop()
    text = metrics.exposition().decode()
    assert 'freehold_job_tries_total{job="test.note",outcome="done"} 1.0' in text
    assert "freehold_jobs_dead 0.0" in text

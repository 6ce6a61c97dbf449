"""Queues, priorities, rates, and jobs that run one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.jobs.effects import note, notes, states

from freehold.errors import ConfigurationError
from freehold.jobs import Backoff, GiveUp, Jobs, Queue, dead_letters, job, leases, retry_dead
from freehold.jobs.tables import JOBS
from freehold.jobs.taking import Taker
from freehold.jobs.tracks import cancel
from freehold.resource.base import new_id
from freehold.resource.clock import now
from freehold.resource.principal import system
from freehold.resource.quotas import per_minute
from freehold.store.database import Database
from freehold.store.session import Session

pytestmark = pytest.mark.anyio

ON_POSTGRESQL = pytest.mark.parametrize("module_database", ["postgresql"], indirect=True)
AT_ONCE = Backoff(first=timedelta(0))
LETTERS = Queue("letters", rate=per_minute(60))
Move = Callable[[timedelta], None]


@job("test.plain")
async def plain(db: Session, *, text: str) -> None:
    await note(db, text)


@job("test.urgent", priority=10)
async def urgent(db: Session, *, text: str) -> None:
    await note(db, text)


@job("test.letter", queue=LETTERS)
async def letter(db: Session, *, text: str) -> None:
    await note(db, text)


@job("test.card", queue=LETTERS)
async def card(db: Session, *, text: str) -> None:
    await note(db, text)


@job("test.step", retries=1, backoff=AT_ONCE)
async def step(db: Session, *, text: str) -> None:
    if text == "fails once" and "fails once" not in await tried(db):
        raise RuntimeError
    if text == "dies":
        raise GiveUp("as every time")
    await note(db, text)


async def tried(db: Session) -> list[str]:
    """The texts of the steps whose first try is over."""
    rows = await db.execute(select(JOBS.c.payload).where(JOBS.c.failures > 0))
    return [row.payload["text"] for row in rows]


KNOWN = {each.name: each for each in (plain, urgent, letter, card, step)}


async def steps(database: Database, *texts: str, order: str = "a") -> list[UUID]:
    ids = []
    for text in texts:
        async with database.writing(system("test")) as unit:
            ids.append(await step.enqueue(unit.session, order=order, text=text))
    return ids


class TestOrder:
    async def test_J01_jobs_of_one_order_run_one_after_the_other(self, database: Database) -> None:
        await steps(database, "1", "fails once", "dies", "4")
        await steps(database, "other", order="b")
        jobs = Jobs(database, jobs=[step])
        assert await states(database) == ["ready", "behind", "behind", "behind", "ready"]
        taken = await Taker(database, KNOWN).take([], limit=10)
        assert [claim.payload["text"] for claim in taken] == ["1", "other"]
        for claim in taken:
            await asyncio.create_task(jobs._execution.run(claim))
        assert await jobs.run_pending() == 4
        assert await notes(database) == ["1", "other", "fails once", "4"]

    async def test_a_dead_one_that_is_retried_comes_last(self, database: Database) -> None:
        await steps(database, "dies", "2")
        jobs = Jobs(database, jobs=[step])
        (claim,) = await Taker(database, KNOWN).take([], limit=10)
        await asyncio.create_task(jobs._execution.run(claim))
        async with database.writing(system("test")) as unit:
            (dead,) = await dead_letters(unit.session)
            assert await retry_dead(unit.session, dead.id)
        assert await states(database) == ["behind", "ready"]

    async def test_one_that_is_taken_away_lets_the_next_begin(self, database: Database) -> None:
        first, second, _ = await steps(database, "1", "2", "3")
        async with database.writing(system("test")) as unit:
            await cancel(unit.session, second)
        assert await states(database) == ["ready", "behind"]
        async with database.writing(system("test")) as unit:
            await cancel(unit.session, first)
        assert await states(database) == ["ready"]

    async def test_a_worker_that_dies_of_one_lets_the_next_begin(self, database: Database, move_clock: Move) -> None:
        await steps(database, "kills", "next")
        taker = Taker(database, KNOWN)
        for _ in range(leases.POISON_AFTER):
            (claim,) = await taker.take([], limit=10)
            assert claim.payload["text"] == "kills"
            move_clock(timedelta(seconds=61))
        (claim,) = await taker.take([], limit=10)
        assert claim.payload["text"] == "next"

    @ON_POSTGRESQL
    async def test_nothing_stays_behind_a_job_that_ends_at_the_same_moment(self, database: Database) -> None:
        """One that joins sees the other as running, though that has just ended, unless they wait for each other."""
        jobs = Jobs(database, jobs=[step])
        for number in range(20):
            await steps(database, f"{number} a")
            (claim,) = await Taker(database, KNOWN).take([], limit=10)
            await asyncio.gather(asyncio.create_task(jobs._execution.run(claim)), steps(database, f"{number} b"))
            assert await jobs.run_pending() == 1
        assert len(await notes(database)) == 40

    async def test_an_order_and_a_key_are_refused(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            with pytest.raises(ValueError, match="do not go together"):
                await step.enqueue(unit.session, order="a", key="k", text="x")


class TestPriority:
    async def test_the_urgent_begin_first_however_many_wait(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            for text in ("1", "2"):
                await plain.enqueue(unit.session, text=text)
            await urgent.enqueue(unit.session, text="now")
            await urgent.enqueue(unit.session, text="later", run_at=now() + timedelta(hours=1))
        await Jobs(database, jobs=[plain, urgent]).run_pending()
        assert await notes(database) == ["now", "1", "2"]


class TestQueue:
    async def test_a_worker_serves_the_queues_that_it_is_told_to(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            await plain.enqueue(unit.session, text="plain")
            await letter.enqueue(unit.session, text="letter")
        jobs = Jobs(database, jobs=[plain, letter])
        jobs.serve(["letters"])
        await jobs.run_pending()
        assert await notes(database) == ["letter"]
        with pytest.raises(
            ConfigurationError, match="No job is declared for the queue parcels; there are: default, le"
        ):
            jobs.serve(["parcels"])

    async def test_the_rate_of_a_queue_holds_over_all_workers(self, database: Database, move_clock: Move) -> None:
        async with database.writing(system("test")) as unit:
            for number in range(8):
                await (letter, card)[number % 2].enqueue(unit.session, text=str(number))
        workers = [Taker(database, KNOWN) for _ in range(3)]

        async def taken() -> int:
            found = await asyncio.gather(*(worker.take([], limit=10) for worker in workers))
            return sum(len(claims) for claims in found)

        assert await taken() == 1
        assert await taken() == 0
        assert all(0 < worker.rest_seconds <= 1 for worker in workers[:1])
        # F06: put back by an hour, it waits for nothing.
        for moved in (timedelta(seconds=2), timedelta(hours=1), timedelta(hours=-1)):
            for worker in workers:
                worker._rests.clear()  # their own clock, which only runs on
            move_clock(moved)
            assert await taken() == 1

    async def test_J03_what_waits_to_run_alone_uses_up_no_rate(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            await letter.enqueue(unit.session, text="suspect")
            await unit.session.execute(update(JOBS).values(attempts=leases.SUSPECT_AFTER))
        empty, busy = Taker(database, KNOWN), Taker(database, KNOWN)
        other = leases.Claim(new_id(), letter.name, new_id(), {}, {}, None, 1, 0, None)
        for _ in range(3):
            assert await busy.take([other], limit=3) == []
        assert busy.rest_seconds == float("inf")
        assert [claim.is_suspect for claim in await empty.take([], limit=3)] == [True]

    def test_one_queue_with_two_rates_is_refused(self) -> None:
        @job("test.other", queue=Queue("letters"))
        async def other(db: Session) -> None: ...

        with pytest.raises(ConfigurationError, match="'letters' is declared twice"):
            Jobs(None, jobs=[letter, other])  # type: ignore[arg-type]

"""Tracked jobs: what they say is written beside their work, by the worker that holds them and by no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from tests.jobs.effects import note, notes
from tests.waiting import PATIENCE_SECONDS

from freehold.errors import ConfigurationError, Conflict
from freehold.jobs import Backoff, JobRead, Jobs, JobState, job, progress, running, tracks
from freehold.jobs.tables import JOBS, TRACKS
from freehold.resource.base import new_id
from freehold.resource.principal import Principal, system
from freehold.store.database import Database
from freehold.store.session import Session

pytestmark = pytest.mark.anyio

ADA = Principal(id=new_id())
AT_ONCE = Backoff(first=timedelta(0))


class Told(Conflict):
    """Nothing."""

    code = "test.told"


@job("track.inside", tracked=True, retries=1, backoff=AT_ONCE)
async def inside(db: Session, *, text: str) -> dict[str, object]:
    progress(1, 2, note="half")
    await note(db, text)
    if text == "told":
        raise Told("The calendar is in use.")
    if text == "secret":
        raise RuntimeError("password=hunter2")
    if text == "large":
        return {"text": "x" * 70_000}
    progress(2, 2)
    return {"text": text, "at": UUID(int=1)}


@job("track.outside", tracked=True, outside=True, lease=timedelta(seconds=2))
async def outside(db: Session, *, steps: int, pause: float = 0.0) -> int:
    before = running().reported
    first = 0 if before is None else before.done
    for step in range(first, steps):
        async with running().writing(done=step + 1, total=steps) as own:
            await note(own, f"step {step}")
        await asyncio.sleep(pause)
    return steps - first


@job("track.untracked", outside=True)
async def untracked(db: Session) -> None:
    progress(1, 2)


async def somebody(_: UUID) -> Principal:
    return ADA


def runner(database: Database) -> Jobs:
    return Jobs(database, jobs=[inside, outside, untracked], principals=somebody, poll=timedelta(milliseconds=20))


async def enqueue(database: Database, what: object, **options: object) -> UUID:
    async with database.writing(ADA) as unit:
        return await what.enqueue(unit.session, **options)  # type: ignore[attr-defined]


async def look(database: Database, job_id: UUID) -> JobRead:
    async with database.reading(system("test")) as session:
        found = await tracks.find(session, job_id)
    assert found is not None
    return found[0]


async def cancel(database: Database, job_id: UUID) -> bool:
    async with database.writing(ADA) as unit:
        return await tracks.cancel(unit.session, job_id)


async def until(database: Database, job_id: UUID, holds: Callable[[JobRead], bool]) -> JobRead:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds(found := await look(database, job_id)):  # noqa: ASYNC110 - it looks as a client does
            await asyncio.sleep(0.02)
    return found


async def test_the_result_and_the_last_progress_commit_with_the_effect(database: Database) -> None:
    job_id = await enqueue(database, inside, text="a")
    waiting = await look(database, job_id)
    assert (waiting.state, waiting.progress, waiting.result) == (JobState.WAITING, None, None)
    assert await runner(database).run_pending() == 1
    done = await look(database, job_id)
    assert (done.state, done.result) == (JobState.DONE, {"text": "a", "at": str(UUID(int=1))})
    assert done.progress is not None
    assert (done.progress.done, done.progress.total) == (2, 2)
    assert await notes(database) == ["a"]


async def test_a_problem_is_told_and_any_other_failure_only_by_its_code(database: Database) -> None:
    told, secret, large = [await enqueue(database, inside, text=text) for text in ("told", "secret", "large")]
    assert await runner(database).run_pending() == 6
    found = await look(database, told)
    assert found.state is JobState.DEAD
    assert found.failure is not None
    assert (found.failure.code, found.failure.detail) == ("test.told", "The calendar is in use.")
    for job_id in (secret, large):
        found = await look(database, job_id)
        assert (found.state, found.result) == (JobState.DEAD, None)
        assert found.failure is not None
        assert found.failure.code == "job.failed"
        assert "hunter2" not in found.model_dump_json()
    assert await notes(database) == []


async def test_a_failed_try_says_that_it_is_tried_again(database: Database) -> None:
    job_id = await enqueue(database, inside, text="told")
    later = replace(inside, backoff=Backoff(first=timedelta(hours=1)))
    await Jobs(database, jobs=[later], principals=somebody).run_pending()
    found = await look(database, job_id)
    assert found.state is JobState.FAILED
    assert not found.has_ended


async def test_progress_is_seen_while_it_runs_and_is_throttled(database: Database) -> None:
    @job("track.chatty", tracked=True, outside=True)
    async def chatty(db: Session) -> None:
        for step in range(120):
            progress(step, 120)
            await asyncio.sleep(0.01)

    jobs = Jobs(database, jobs=[chatty], principals=somebody, poll=timedelta(milliseconds=20))
    job_id = await enqueue(database, chatty)
    began = time.monotonic()
    await jobs.start()
    seen = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look(database, job_id)).has_ended:
            seen.add(found.updated_at)
            await asyncio.sleep(0.02)
    await jobs.stop()
    assert found.progress is not None
    assert found.progress.done == 119
    took = time.monotonic() - began
    assert 2 <= len(seen) <= 3 + 2 * took, "two writes a second, its start and its end; it told 120 times"
    assert len(seen) < 60


async def test_progress_of_a_job_inside_its_transaction_is_known_to_the_process_that_runs_it(
    database: Database,
) -> None:
    @job("track.slow", tracked=True)
    async def slow(db: Session) -> None:
        await note(db, "holds the writer")
        progress(1, 3)
        await asyncio.sleep(0.5)

    jobs = Jobs(database, jobs=[slow], principals=somebody, poll=timedelta(milliseconds=20))
    job_id = await enqueue(database, slow)
    await jobs.start()
    async with asyncio.timeout(5):
        while (said := jobs.said_here(job_id)) is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert said.done == 1
    await until(database, job_id, lambda found: found.has_ended)
    await jobs.stop()
    assert jobs.said_here(job_id) is None


async def test_a_waiting_job_that_is_cancelled_never_runs(database: Database) -> None:
    job_id = await enqueue(database, inside, text="never")
    assert await cancel(database, job_id)
    assert await runner(database).run_pending() == 0
    found = await look(database, job_id)
    assert (found.state, found.cancellation_requested) == (JobState.CANCELLED, True)
    assert not await cancel(database, job_id)


async def test_a_running_job_is_asked_and_stops_where_it_says_how_far_it_is(database: Database) -> None:
    job_id = await enqueue(database, outside, steps=1000, pause=0.02)
    jobs = runner(database)
    await jobs.start()
    await until(database, job_id, lambda found: found.progress is not None)
    assert await cancel(database, job_id)
    found = await until(database, job_id, lambda found: found.has_ended)
    await jobs.stop()
    assert found.state is JobState.CANCELLED
    assert found.progress is not None
    assert 0 < len(await notes(database)) == found.progress.done < 1000


async def test_an_ended_job_cannot_be_cancelled(database: Database) -> None:
    job_id = await enqueue(database, inside, text="a")
    await runner(database).run_pending()
    assert not await cancel(database, job_id)
    assert (await look(database, job_id)).state is JobState.DONE


async def test_J02_a_step_commits_with_its_progress_and_a_second_try_goes_on_from_it(database: Database) -> None:
    @job("track.falls", tracked=True, outside=True, backoff=AT_ONCE)
    async def falls(db: Session) -> int:
        before = running().reported
        first = 0 if before is None else before.done
        for step in range(first, 4):
            if step == 2 and running().attempt == 1:
                raise ConnectionError
            async with running().writing(done=step + 1, total=4) as own:
                await note(own, f"step {step}")
        return first

    job_id = await enqueue(database, falls)
    assert await Jobs(database, jobs=[falls], principals=somebody).run_pending() == 2
    assert (await look(database, job_id)).result == 2
    assert await notes(database) == [f"step {step}" for step in range(4)]


async def test_J02_an_older_word_is_not_written_beside_a_step(database: Database) -> None:
    seen: list[object] = []

    @job("track.both", tracked=True, outside=True)
    async def both(db: Session) -> None:
        progress(1, 4)
        async with running().writing(done=2, total=4):
            await asyncio.sleep(0.05)  # long enough for the word to be written, were it not held back
            seen.append((await look(database, job_id)).progress)

    job_id = await enqueue(database, both)
    assert await Jobs(database, jobs=[both], principals=somebody).run_pending() == 1
    assert seen == [None]
    found = (await look(database, job_id)).progress
    assert found is not None
    assert found.done == 2


async def test_J02_a_worker_that_lost_its_lease_writes_neither_rows_nor_progress(database: Database) -> None:
    @job("track.zombie", tracked=True, outside=True)
    async def zombie(db: Session) -> int:
        async with database.writing(system("another worker takes it over")) as unit:
            await unit.session.execute(update(JOBS).values(lease_token=new_id()))
        async with running().writing(done=9, total=9) as own:
            await note(own, "late")
        return 1

    job_id = await enqueue(database, zombie)
    assert await Jobs(database, jobs=[zombie], principals=somebody).run_pending() == 1
    found = await look(database, job_id)
    assert (found.state, found.progress, found.result) == (JobState.RUNNING, None, None)
    assert await notes(database) == []


async def test_one_key_of_two_people_is_two_jobs_that_each_may_follow(database: Database) -> None:
    first = await enqueue(database, inside, text="a", key="sync")
    assert await enqueue(database, inside, text="b", key="sync") == first
    async with database.writing(Principal(id=new_id())) as unit:
        assert await inside.enqueue(unit.session, text="c", key="sync") != first


async def test_a_job_that_nobody_follows_has_no_track(database: Database) -> None:
    await enqueue(database, untracked)
    assert await runner(database).run_pending() == 1
    async with database.reading(system("test")) as session:
        assert await session.scalar(select(func.count()).select_from(TRACKS)) == 0


async def test_tracks_are_kept_as_long_as_their_jobs_and_swept_with_them(
    database: Database, move_clock: Callable[[timedelta], None]
) -> None:
    done = await enqueue(database, inside, text="a")
    jobs = runner(database)
    await jobs.run_pending()
    dead = await enqueue(database, inside, text="told")
    await jobs.run_pending()
    move_clock(timedelta(hours=25))
    await jobs._housekeeping.sweep()
    async with database.reading(system("test")) as session:
        assert await tracks.find(session, done) is None
    assert (await look(database, dead)).state is JobState.DEAD


def test_a_rule_about_rows_cannot_say_who_may_follow() -> None:
    from freehold.resource.access import owner, role

    with pytest.raises(ConfigurationError, match="has no row"):
        job("x", tracked=True, readers=owner("id"))(untracked.function)
    with pytest.raises(ConfigurationError, match="tracked=True"):
        job("x", readers=role("admin"))(untracked.function)


def test_running_outside_of_a_job_says_so() -> None:
    progress(1, 2)
    with pytest.raises(LookupError, match="no job is running"):
        running()

"""Recording how a try ended, also when the database is away just then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from tests.jobs.effects import states
from tests.waiting import until

from freehold.errors import Conflict
from freehold.jobs import Jobs, dead_letters, execution, job, leases
from freehold.jobs.execution import Execution, Outcome
from freehold.jobs.taking import Taker
from freehold.resource.principal import system
from freehold.store.audit import record
from freehold.store.audit_check import verify
from freehold.store.database import Database
from freehold.store.outbox import Outbox, emit
from freehold.store.session import Session

pytestmark = pytest.mark.anyio


@job("test.fail", retries=0)
async def fail(db: Session) -> None:
    raise Conflict("somebody's private words", code="test.conflict")


class Away:
    """A database that refuses the next outcomes to be written."""

    def __init__(self, database: Database, refusals: int, error: Exception) -> None:
        self._database = database
        self._refusals = refusals
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def writing(self, principal: Any, **options: Any) -> AsyncIterator[Any]:
        if principal.reason == "job outcome" and self._refusals:
            self._refusals -= 1
            raise self._error
        async with self._database.writing(principal, **options) as unit:
            yield unit


async def claimed(database: Database) -> leases.Claim:
    async with database.writing(system("test")) as unit:
        await fail.enqueue(unit.session)
    (claim,) = await Taker(database, {"test.fail": fail}).take([], limit=1)
    return claim


async def run(database: Database, away: Away) -> Outcome:
    runs = Execution(away, {"test.fail": fail}, Jobs(database).principals)
    return await asyncio.create_task(runs.run(await claimed(database)))


@pytest.mark.parametrize("error", [ConnectionError(), IntegrityError("", None, Exception())])
async def test_a_failure_is_recorded_when_the_database_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(execution, "_PERSISTENCE_SECONDS", (0.0, 0.0))
    assert await run(database, Away(database, 2, error)) is Outcome.DEAD
    async with database.reading(system("test")) as session:
        (letter,) = await dead_letters(session)
    assert letter.error == "Conflict: test.conflict"  # a problem's detail is for its client only


@pytest.mark.parametrize("error", [ConnectionError(), IntegrityError("", None, Exception())])
async def test_a_failure_that_cannot_be_recorded_is_left_to_the_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(execution, "_PERSISTENCE_SECONDS", (0.0, 0.0))
    assert await run(database, Away(database, 99, error)) is Outcome.LOST
    assert await states(database) == ["running"]


async def test_a_failure_under_a_lost_lease_changes_nothing(database: Database) -> None:
    claim = await claimed(database)
    async with database.writing(system("test")) as unit:
        await leases.give_back(unit.session, claim)
    runs = Execution(database, {"test.fail": fail}, Jobs(database).principals)
    assert await asyncio.create_task(runs.run(claim)) is Outcome.LOST
    assert await states(database) == ["ready"]


async def test_giving_back_to_a_database_that_is_away_is_left_to_the_lease(database: Database) -> None:
    runs = Execution(Away(database, 1, ConnectionError()), {"test.fail": fail}, Jobs(database).principals)
    await runs.give_back(await claimed(database))
    assert await states(database) == ["running"]


@pytest.mark.long
async def test_E05_a_started_runner_seals_the_trail(database: Database) -> None:
    jobs = Jobs(database, audit_key=b"key")
    await jobs.start()
    async with database.writing(system("test")) as unit:
        await record(unit.session, "thing.changed", subject_type="thing", subject_id=1)

    async def is_sealed() -> bool:
        async with database.reading(system("test")) as session:
            return len(await verify(session)) == 1  # without the key, a sealed record is a fault

    await until(is_sealed)
    await jobs.stop()
    async with database.reading(system("test")) as session:
        assert await verify(session, key=b"key") == []


async def test_J05_a_runner_clears_what_is_done(database: Database) -> None:
    @job("test.nothing")
    async def nothing(db: Session) -> None:
        await emit(db, "nothing.happened", key="k", payload={})

    async with database.writing(system("test")) as unit:
        await nothing.enqueue(unit.session)
    jobs = Jobs(database, jobs=[nothing], outbox=Outbox(database), keep_done=timedelta(0))
    assert await jobs.run_pending() == 1
    await asyncio.sleep(0.01)
    await jobs._housekeeping.sweep()
    assert await states(database) == []

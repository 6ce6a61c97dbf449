"""A runner that has nothing to do asks the database little."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.jobs.effects import note

from freehold.jobs import Jobs, job, schedule
from freehold.store.database import Database
from freehold.store.outbox import Outbox
from freehold.store.session import Session
from freehold.testing.budget import listed, watch

pytestmark = pytest.mark.anyio

SECONDS = 5


@schedule("test.idle", every=timedelta(hours=1))
@job("test.idle")
async def idle(db: Session) -> None:
    await note(db, "idle")


@pytest.mark.long
async def test_J05_one_statement_a_second_tells_that_there_is_nothing_to_do(database: Database) -> None:
    statements = watch(database)
    jobs = Jobs(database, jobs=[idle], outbox=Outbox(database))
    await jobs.start()
    await asyncio.sleep(1.5)  # it plans the schedule and sweeps
    statements.clear()
    await asyncio.sleep(SECONDS)
    asked = list(statements)
    await jobs.stop()
    # On PostgreSQL each is noted for two engines, which share a pool.
    assert 1 <= len(asked) <= 2 * SECONDS + 4, listed(asked)

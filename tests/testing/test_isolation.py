"""One transaction around a test, while something else of the application asks the database too."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from freehold import system
from freehold.store import Database
from freehold.testing.isolation import isolated

pytestmark = pytest.mark.anyio


async def test_who_is_at_work_beside_the_test_ends_before_the_connection_does(database_url: str) -> None:
    database = Database.open(database_url)
    await database.start()
    is_ending, is_at_work = asyncio.Event(), asyncio.Event()
    failures: list[Exception] = []

    async def count_on() -> None:
        while not is_ending.is_set():
            try:
                async with database.writing(system("beside")) as unit:
                    await unit.session.execute(text("SELECT 1"))
                    is_at_work.set()
            except Exception as error:  # noqa: BLE001 (asserted below)
                failures.append(error)
                return

    for _ in range(20):
        is_ending.clear()
        is_at_work.clear()
        async with isolated(database):
            beside = [asyncio.create_task(count_on()) for _ in range(3)]
            await is_at_work.wait()
        async with database.reading(system("after")) as session:
            assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
        is_ending.set()
        await asyncio.gather(*beside)
    assert failures == []
    await database.close()


async def test_whose_turn_comes_after_the_end_writes_to_the_database_itself(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/turns.db")
    await database.start()
    async with database.writing(system("tables")) as unit:
        await unit.session.execute(text("CREATE TABLE said (words TEXT)"))
    has_turn, may_go_on = asyncio.Event(), asyncio.Event()

    async def say(words: str) -> None:
        async with database.writing(system("say")) as unit:
            has_turn.set()
            await may_go_on.wait()
            await unit.session.execute(text("INSERT INTO said VALUES (:words)"), {"words": words})

    async def come_late() -> None:
        await asyncio.sleep(0.01)  # the end of the block waits for `inside` by then
        late = asyncio.create_task(say("late"))
        await asyncio.sleep(0)
        may_go_on.set()
        await late

    async with isolated(database):
        tasks = [asyncio.create_task(say("inside"))]
        await has_turn.wait()
        tasks.append(asyncio.create_task(come_late()))
    await asyncio.gather(*tasks)
    async with database.reading(system("look")) as session:
        assert (await session.execute(text("SELECT words FROM said"))).scalars().all() == ["late"]
    await database.close()

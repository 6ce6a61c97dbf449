"""What a test committed for good is taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from freehold.store.database import Database
from freehold.testing.pristine import pristine

pytestmark = pytest.mark.anyio


async def test_a_write_that_is_under_way_is_waited_for(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/kept.db")
    try:
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE things (name TEXT)"))
        kept = await pristine(database)
        async with database.engine.begin() as connection:
            await connection.execute(text("INSERT INTO things VALUES ('one')"))
            restoring = asyncio.create_task(kept.restore())
            # Not to be had now: in the loop itself it would wait for this block, and this block for the loop.
            assert not (await asyncio.wait([restoring], timeout=0.3))[0]
        await asyncio.wait_for(restoring, 30)
        async with database.engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 0
    finally:
        await database.close()

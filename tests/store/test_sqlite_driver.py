"""One trip to the driver's thread for a statement, and rows that come in parts where there are many."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.store import Database, sqlite_driver
from freehold.store.sqlite_driver import ROWS_AT_ONCE, OneTripConnection

pytestmark = pytest.mark.anyio


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/trips.db")
    await database.start()
    yield database.engine
    await database.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls that went to the thread."""
    made: list[str] = []
    going = OneTripConnection._execute

    async def counted(self: OneTripConnection, function: Any, *args: Any) -> Any:
        made.append(function.__name__)
        return await going(self, function, *args)

    monkeypatch.setattr(OneTripConnection, "_execute", counted)
    return made


NUMBERS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) SELECT i FROM n")


async def test_a_transaction_takes_a_trip_for_each_statement(engine: AsyncEngine, trips: list[str]) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"))
        await connection.execute(text("INSERT INTO t (b) VALUES (:b)"), [{"b": "x"}, {"b": "y"}])
        changed = await connection.execute(text("UPDATE t SET b = b || '!' RETURNING a, b"))
        assert changed.all() == [(1, "x!"), (2, "y!")]
        assert (await connection.execute(text("DELETE FROM t WHERE a > 1"))).rowcount == 1
    assert trips == ["_execute", "_execute", "_execute_many", "_execute", "_execute", "commit"]


@pytest.mark.parametrize("most", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
async def test_no_row_is_lost_between_the_parts(engine: AsyncEngine, most: int) -> None:
    expected = list(range(1, max(most, 1) + 1))
    async with engine.connect() as connection:
        assert (await connection.execute(NUMBERS, {"most": most})).scalars().all() == expected
        streamed = await connection.stream_scalars(NUMBERS, {"most": most})
        assert [each async for each in streamed] == expected
        streamed = await connection.stream_scalars(NUMBERS, {"most": most}, execution_options={"yield_per": 7})
        assert [each async for part in streamed.partitions() for each in part] == expected


async def test_a_long_answer_is_not_fetched_before_it_is_asked_for(engine: AsyncEngine, trips: list[str]) -> None:
    async with engine.connect() as connection:
        trips.clear()
        streamed = await connection.stream_scalars(NUMBERS, {"most": 50 * ROWS_AT_ONCE})
        assert await streamed.fetchmany(10) == list(range(1, 11))
        await streamed.close()
        assert len(trips) < 5


async def test_what_the_driver_refuses_leaves_nothing_open(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="no such table"):
            await connection.execute(text("SELECT * FROM nowhere"))
        await connection.rollback()
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_closed_connection_says_so(tmp_path: Path) -> None:
    connection = await sqlite_driver.connect(str(tmp_path / "closed.db"))
    await connection.close()
    with pytest.raises(ValueError, match="losed"):
        await connection.cursor().execute("SELECT 1")
    assert sqlite3.connect(tmp_path / "closed.db").execute("SELECT 1").fetchone() == (1,)

"""A tally: exact over concurrent processes, bounded in memory, and honest about what a crash loses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, String, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from freehold.errors import OutcomeUnknown
from freehold.resource.base import NAMING, Base, new_id
from freehold.resource.clock import now
from freehold.resource.principal import system
from freehold.store import Database, Session, Tally

pytestmark = pytest.mark.anyio


class Own(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Tallied(Own):
    name: Mapped[str] = mapped_column(String(20), unique=True)
    count: Mapped[int]


async def write(db: Session, counts: Mapping[str, int]) -> None:
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    fixed = {"created_at": now(), "updated_at": now(), "row_version": 1}
    rows = [{"id": new_id(), "name": name, "count": count} | fixed for name, count in sorted(counts.items())]
    added = insert(Tallied)
    both = Tallied.count + added.excluded.count
    await db.execute(added.on_conflict_do_update(index_elements=["name"], set_={"count": both}), rows)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database.open(database_url)
    await opened.start()
    async with opened.engine.begin() as connection:
        await connection.run_sync(Tallied.__table__.create)  # type: ignore[attr-defined]
    yield opened
    await opened.close()


async def counted(database: Database) -> dict[str, int]:
    async with database.reading(system("look")) as db:
        return {row.name: row.count for row in await db.scalars(select(Tallied))}


async def test_several_processes_add_to_the_same_rows(database: Database) -> None:
    tallies = [Tally(write, reason="a test") for _ in range(4)]
    for round_ in range(5):
        for tally in tallies:
            for name in ("a", "b", "c"):
                tally.add(name, round_)
        await asyncio.gather(*(tally.flush(database) for tally in tallies))
    assert await counted(database) == dict.fromkeys("abc", 4 * (0 + 1 + 2 + 3 + 4))


async def test_it_is_written_at_the_end_and_before_where_much_has_come(database: Database) -> None:
    is_written = asyncio.Event()

    async def write_and_say(db: Session, counts: Mapping[str, int]) -> None:
        await write(db, counts)
        is_written.set()

    tally = Tally(write_and_say, reason="a test", every=timedelta(hours=1), most=2)
    async with tally.running(database):
        tally.add("a")
        assert await counted(database) == {}
        tally.add("b")
        await is_written.wait()
        tally.add("a")
    assert await counted(database) == {"a": 2, "b": 1}


def test_it_runs_in_one_loop_after_the_other(tmp_path: Path) -> None:
    tally = Tally(write, reason="a test", every=timedelta(hours=1))

    async def run() -> None:
        async with tally.running(Database.open(f"sqlite+aiosqlite:///{tmp_path}/tally.db")):
            await asyncio.sleep(0)

    asyncio.run(run())
    asyncio.run(run())


async def test_what_could_not_be_written_is_kept_and_what_may_have_been_is_not(database: Database) -> None:
    faults: list[Exception] = [RuntimeError("away"), OutcomeUnknown()]

    async def faulty(db: Session, counts: Mapping[str, int]) -> None:
        if faults:
            raise faults.pop(0)
        await write(db, counts)

    tally = Tally(faulty, reason="a test")
    tally.add("a", 2)
    with pytest.raises(RuntimeError):
        await tally.flush(database)
    tally.add("a")
    with pytest.raises(OutcomeUnknown):
        await tally.flush(database)
    tally.add("a")
    await tally.flush(database)
    assert await counted(database) == {"a": 1}


def test_F11_what_a_database_that_is_away_cannot_take_does_not_grow_for_ever() -> None:
    tally = Tally[str](write, reason="a test", most=2)
    for number in range(50):
        tally.add(str(number))
    tally.add("0", 5)
    assert (len(tally._counts), tally.dropped, tally._counts["0"]) == (20, 30, 6)

"""The unit of work: one commit, shielded, before anything is told (V12, X09, MECHANISMS: one commit)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped

from freehold import system
from freehold.cancellation import may_be_done
from freehold.errors import OutcomeUnknown, Unavailable
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.store.branch import CommitRefused
from freehold.store.database import Database
from freehold.store.scope import ReadOnlySession, TransactionControl
from freehold.store.unit import Unit

pytestmark = pytest.mark.anyio
WHO = system("a test of the unit")


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Entry(Base):
    __tablename__ = "unit_entries"
    text: Mapped[str]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database.open(database_url)
    await found.start()
    async with found.writing(WHO) as unit:
        connection = await unit.session.connection()
        await connection.run_sync(Base.metadata.create_all)
    yield found
    await found.close()


async def count(database: Database) -> int:
    async with database.reading(WHO) as session:
        return int(await session.scalar(select(func.count()).select_from(Entry)) or 0)


async def test_a_clean_exit_commits_and_then_calls_back(database: Database) -> None:
    seen: list[int] = []
    async with database.writing(WHO) as unit:
        unit.session.add(Entry(text="kept"))

        async def look() -> None:
            seen.append(await count(database))

        unit.after_commit(look)
    assert seen == [1]


async def test_a_callback_that_fails_does_not_undo_or_hide_the_commit(database: Database) -> None:
    async with database.writing(WHO) as unit:
        unit.session.add(Entry(text="kept"))
        unit.after_commit(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert await count(database) == 1


async def test_an_exception_rolls_back_what_was_flushed(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.writing(WHO) as unit:
            unit.session.add(Entry(text="gone"))
            await unit.session.flush()
            raise LookupError
    assert await count(database) == 0


async def test_inner_code_cannot_commit_or_roll_back(database: Database) -> None:
    async with database.writing(WHO) as unit:
        with pytest.raises(CommitRefused):
            await unit.session.commit()
        with pytest.raises(CommitRefused):
            await unit.session.rollback()
        connection = await unit.session.connection()
        with pytest.raises(CommitRefused):
            await connection.commit()
        for control in ("COMMIT", " commit;", "ROLLBACK", "END", "BEGIN"):
            with pytest.raises(TransactionControl):
                await unit.session.execute(text(control))
            with pytest.raises(TransactionControl):
                await connection.exec_driver_sql(control)


async def test_a_part_that_may_fail_fails_alone(database: Database) -> None:
    async with database.writing(WHO) as unit:
        unit.session.add(Entry(text="kept"))
        with pytest.raises(LookupError):
            async with unit.session.begin_nested():
                unit.session.add(Entry(text="gone"))
                await unit.session.flush()
                raise LookupError
    assert await count(database) == 1


async def test_work_without_rules_shares_the_transaction(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.writing(WHO) as unit:
            async with unit.session.unscoped("a test") as other:
                other.add(Entry(text="gone"))
            assert await unit.session.scalar(select(func.count()).select_from(Entry)) == 1
            raise LookupError
    assert await count(database) == 0


async def test_a_reading_session_cannot_write(database: Database) -> None:
    async with database.reading(WHO) as session:
        session.add(Entry(text="no"))
        with pytest.raises(ReadOnlySession):
            await session.flush()


async def test_a_lost_connection_during_the_commit_is_an_unknown_outcome(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise ConnectionResetError("the peer went away")

    with pytest.raises(OutcomeUnknown) as told:
        async with database.writing(WHO) as unit:
            unit.session.add(Entry(text="?"))
            await unit.session.flush()
            monkeypatch.setattr(type(unit._transaction), "commit", lost)
    monkeypatch.undo()
    assert told.value.status == 503 and "Idempotency-Key" in told.value.title


class Cancelling(Exception):
    pass


async def cancelled_at(database: Database, step: int) -> tuple[bool, bool, bool]:
    """Run a write and cancel it at its `step`-th turn of the loop: whether it was over by then, whether it raised, and that it may be done."""
    noted: list[bool] = []

    async def write() -> None:
        try:
            async with database.writing(WHO) as unit:
                unit.session.add(Entry(text="whole"))
                await unit.session.flush()
                unit.session.add(Entry(text="whole"))
        except asyncio.CancelledError as error:
            noted.append(may_be_done(error))
            raise

    task = asyncio.ensure_future(write())
    for _ in range(step):
        await asyncio.sleep(0)
        if task.done():
            break
    over = task.done()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return over, True, any(noted)
    return over, False, False


@pytest.mark.slow
async def test_V12_a_write_that_is_cancelled_at_any_point_is_done_whole_or_not_at_all(database: Database) -> None:
    before, step = 0, 0
    outcomes: set[tuple[bool, int]] = set()
    while True:
        over, raised, is_noted = await cancelled_at(database, step)
        now = await count(database)
        assert now - before in (0, 2), f"half a write after a cancellation at turn {step}"
        assert now == before or not raised or is_noted, f"it was denied after a cancellation at turn {step}"
        outcomes.add((raised, now - before))
        before = now
        if over:
            break
        step += 1 if step < 60 else 25
        assert step < 20_000
    # Both ends were met: cancelled before anything was kept, and finished.
    assert (True, 0) in outcomes and (False, 2) in outcomes
    async with database.writing(WHO) as unit:  # nothing is held any more
        unit.session.add(Entry(text="after"))
    assert await count(database) == before + 1


async def test_X09_a_serialization_failure_runs_the_work_again(database: Database) -> None:
    attempts: list[int] = []

    async def work(unit: Unit) -> str:
        attempts.append(1)
        unit.session.add(Entry(text="once"))
        await unit.session.flush()
        if len(attempts) < 3:
            raise victim()
        return "done"

    assert await database.run(WHO, work) == "done"
    assert (len(attempts), await count(database)) == (3, 1)


async def test_X09_when_every_attempt_fails_it_is_503_and_never_500(database: Database) -> None:
    async def work(unit: Unit) -> None:
        raise victim()

    with pytest.raises(Unavailable):
        await database.run(WHO, work)


def victim() -> DBAPIError:
    origin = Exception("deadlock detected")
    origin.sqlstate = "40P01"  # type: ignore[attr-defined]
    return DBAPIError("UPDATE …", {}, origin)


@pytest.mark.slow
@pytest.mark.long
async def test_X09_a_real_deadlock_never_comes_out(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    await database.start()
    async with database.writing(WHO) as unit:
        await (await unit.session.connection()).run_sync(Base.metadata.create_all)
        first, second = Entry(text="a"), Entry(text="b")
        unit.session.add_all([first, second])
        await unit.session.flush()
        ids = [first.id, second.id]

    async def cross(order: list[UUID]) -> None:
        async def work(unit: Unit) -> None:
            for each in order:
                await unit.session.get(Entry, each, with_for_update=True)
                await asyncio.sleep(0.05)

        await database.run(WHO, work)

    await asyncio.gather(cross(ids), cross(ids[::-1]))
    await database.close()


async def test_a_writer_that_waits_past_its_deadline_is_503(tmp_path: object) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/one.db")
    await database.start()
    held, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.writing(WHO) as unit:
            await unit.session.execute(text("SELECT 1"))
            held.set()
            await release.wait()

    holder = asyncio.ensure_future(hold())
    await held.wait()
    loop = asyncio.get_running_loop()
    with pytest.raises(Unavailable):
        async with database.writing(WHO, deadline=loop.time() + 0.05):
            raise AssertionError("two writers at once")
    release.set()
    await holder
    async with database.writing(WHO):
        pass
    await database.close()


async def test_F15_two_processes_on_one_file_take_turns(tmp_path: object) -> None:
    """Two databases on one file in one process share no lock but the file's; each sees what the other wrote."""
    one = Database.open(f"sqlite+aiosqlite:///{tmp_path}/shared.db")
    two = Database.open(f"sqlite+aiosqlite:///{tmp_path}/shared.db")
    await one.start()
    await two.start()
    async with one.writing(WHO) as unit:
        await (await unit.session.connection()).run_sync(Base.metadata.create_all)

    async def add(database: Database, times: int) -> None:
        for _ in range(times):
            async with database.writing(WHO) as unit:
                unit.session.add(Entry(text="x"))

    await asyncio.gather(add(one, 20), add(two, 20))
    assert await count(one) == await count(two) == 40
    await one.close()
    await two.close()

"""Planned reads on the driver's own connections: the caller's rows and no others, never old ones, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import MetaData, bindparam, func, literal, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Principal, owner, system
from freehold.errors import DeadlineExceeded
from freehold.query.declare import build_spec
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.declaration import Resource
from freehold.store.database import Database
from freehold.store.executor import Plan
from freehold.store.plan_page import fetch_one
from freehold.store.plans import ResourcePlans
from freehold.store.point_reads import PointReads
from freehold.store.postgresql import Patience
from freehold.store.protection import Registry
from freehold.store.read_path_postgresql import PostgresReads
from tests.store.crowds import leave_and_die, stale_reads
from tests.store.roles import walled
from tests.waiting import until

pytestmark = pytest.mark.anyio
ADA, BOB = Principal(id=new_id()), Principal(id=new_id())
ACCESS = Access(read=owner("owner_id"))
SLEEP = Plan(select(func.pg_sleep(5)), ("sleep",))


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class PathNote(Base):
    owner_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[int]


class Shown(BaseModel):
    id: UUID
    number: int


def planned() -> ResourcePlans:
    return ResourcePlans(build_spec(Resource(PathNote, access=ACCESS), Shown), Shown)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Database]:
    registry = Registry()
    registry.protect(PathNote, ACCESS)
    found = Database.open(url, registry=registry, **options)
    async with found.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await found.start()
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with opened(postgres_url, pool_size=8) as found:
        yield found


def path_of(database: Database) -> PostgresReads:
    found = database.read_path_of(ADA)
    assert isinstance(found, PostgresReads)
    return found


async def filled(database: Database, count: int = 10) -> list[UUID]:
    """Rows that belong to Ada and Bob in turn."""
    async with database.writing(system("rows of a test")) as unit:
        rows = [PathNote(owner_id=(ADA, BOB)[number % 2].id, number=number) for number in range(count)]
        unit.session.add_all(rows)
        await unit.session.flush()
        return [row.id for row in rows]


async def seen(database: Database, plans: ResourcePlans, who: Principal, key: UUID) -> int | None:
    async with database.asking(who) as asking:
        found = await fetch_one(plans, asking, key)
    return None if found is None else Shown.model_validate_json(found[0]).number


class Counted:
    """Lets every statement through, counts it, and holds back what it found for a while."""

    def __init__(self, path: PostgresReads, *, hold_seconds: float = 0.0) -> None:
        self.statements = 0
        self._fetch = path.lanes.fetch
        self._hold = hold_seconds
        path.lanes.fetch = self.fetch  # type: ignore[method-assign]

    async def fetch(self, sql: str, values: Sequence[Any]) -> Any:
        self.statements += 1
        found = await self._fetch(sql, values)
        await asyncio.sleep(self._hold)
        return found


async def test_callers_who_share_a_statement_see_their_own_rows_alone(database: Database) -> None:
    keys, plans, counted = await filled(database), planned(), Counted(path_of(database))
    asked = [(who, key, number) for number, key in enumerate(keys) for who in (ADA, BOB, Principal(), ADA)]
    random.Random(5).shuffle(asked)
    found = await asyncio.gather(*(seen(database, plans, who, key) for who, key, _ in asked))
    expected = [number if who.id == (ADA, BOB)[number % 2].id else None for who, _, number in asked]
    assert found == expected
    assert counted.statements < len(asked) / 4, "they did share"


async def test_the_system_sees_every_row(database: Database) -> None:
    keys, plans = await filled(database), planned()
    found = await asyncio.gather(*(seen(database, plans, system("a test"), key) for key in keys))
    assert found == list(range(10))


class Joining(PointReads):
    """The mistake: who asks for what is on its way gets that."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.on_its_way: dict[str, Any] = {}

    def read(self, values: list[Any]) -> Any:
        there = self.on_its_way.get(repr(values))
        if there is None or there.done():
            there = self.on_its_way[repr(values)] = super().read(values)
        return asyncio.shield(there)


@pytest.mark.parametrize("is_weakened", [False, True])
async def test_a_read_never_gives_an_older_row_than_was_committed_before_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_weakened: bool
) -> None:
    if is_weakened:
        monkeypatch.setattr("freehold.store.read_path_postgresql.PointReads", Joining)
    (key,), plans = await filled(database, 1), planned()
    Counted(path_of(database), hold_seconds=0.004)

    def change(number: int) -> Any:
        return update(PathNote).where(PathNote.id == key).values(number=number)

    async def read() -> int:
        number = await seen(database, plans, ADA, key)
        assert number is not None
        return number

    stale = await stale_reads(database, range(1, 500 if is_weakened else 25), change, read)
    assert bool(stale) is is_weakened


async def test_readers_that_leave_and_connections_that_die_leave_nothing_behind(database: Database) -> None:
    keys, plans, path = await filled(database), planned(), path_of(database)

    async def read(dice: random.Random) -> None:
        number = dice.randrange(10)
        assert await seen(database, plans, (ADA, BOB)[number % 2], keys[number]) == number

    await leave_and_die(database, "path_notes", read)
    await until(lambda: not path.lanes.in_use)
    assert await seen(database, plans, ADA, keys[0]) == 0


async def test_while_connections_are_lost_readers_are_not_kept_by_attempts_that_are_in_vain(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,), plans, path = await filled(database, 1), planned(), path_of(database)
    attempts = 0

    async def lost(sql: str, values: Sequence[Any]) -> Any:
        nonlocal attempts
        attempts += 1
        raise ConnectionResetError

    expected = 0
    for _ in range(2):
        with monkeypatch.context() as outage:
            outage.setattr(path.lanes, "fetch", lost)
            for number in (3, 1, 1):
                expected += number
                assert await seen(database, plans, ADA, key) == 0, "by SQLAlchemy's connection"
                assert attempts == expected
        assert await seen(database, plans, ADA, key) == 0, "and then all is as it was"


async def test_a_statement_that_is_cancelled_gives_its_place_back(database: Database) -> None:
    path = path_of(database)
    for _ in range(6):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), database.asking(ADA) as asking:
                await asking.fetch(SLEEP, {})
    assert path.lanes.in_use == 0
    (key,) = await filled(database, 1)
    assert await seen(database, planned(), ADA, key) == 0


async def test_the_time_limit_of_the_server_is_not_waited_for_twice(postgres_url: str) -> None:
    async with opened(postgres_url, patience=Patience(statement_seconds=0.2)) as database:
        with pytest.raises(DeadlineExceeded):
            async with database.asking(ADA) as asking:
                await asking.fetch(SLEEP, {})


async def test_a_table_may_change_under_prepared_statements(database: Database) -> None:
    (key,), plans = await filled(database, 1), planned()
    assert await seen(database, plans, ADA, key) == 0
    async with database.writing(system("a migration")) as unit:
        await unit.session.execute(text("ALTER TABLE path_notes ALTER COLUMN number TYPE bigint"))
    assert await seen(database, plans, ADA, key) == 0


async def test_a_pool_of_one_has_no_path_and_answers_all_the_same(postgres_url: str) -> None:
    async with opened(postgres_url, pool_size=1) as database:
        (key,) = await filled(database, 1)
        assert database.read_path_of(ADA) is None
        assert await seen(database, planned(), ADA, key) == 0
        assert await seen(database, planned(), BOB, key) is None


async def test_Z06_behind_row_level_security_it_belongs_to_the_readers_log_in(postgres_url: str) -> None:
    registry = Registry()
    registry.protect(PathNote, ACCESS)
    async with walled(postgres_url) as wall:
        await wall.build([Base.metadata], registry)
        for reader_url, has_path in ((wall.reader, True), ("", False)):
            database = Database.open(wall.app, reader_url=reader_url, registry=registry)
            await database.start()
            try:
                assert (database.read_path_of(ADA) is not None) is has_path
                assert await seen(database, planned(), ADA, new_id()) is None
            finally:
                await database.close()


async def test_a_long_statement_of_sqlite_leaves_the_loop_for_a_thread(tmp_path: Path) -> None:
    number = select(literal(1).label("n")).cte("numbers", recursive=True)
    number = number.union_all(select(number.c.n + 1).where(number.c.n < 300_000))
    counting = Plan(select(func.count()).select_from(number), ("counting",))
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/t.db") as database:
        for _ in range(2):
            async with database.asking(ADA) as asking:
                assert (await asking.fetch(counting, {}))[0][0] == 300_000
        assert [made.slow_until > time.monotonic() for made in counting.kept.values()] == [True]


class Told:
    """Who waits for rows, and asks for more once there are some."""

    def __init__(self, after: Callable[[], None] = lambda: None) -> None:
        self.found: Any = None
        self._after = after

    def done(self) -> bool:
        return self.found is not None

    def set_result(self, found: Any) -> None:
        self.found = found
        self._after()

    def set_exception(self, error: Exception) -> None:
        self.found = error


async def test_questions_of_sqlite_that_meet_see_every_commit_before_them_and_fail_each_for_itself(
    tmp_path: Path,
) -> None:
    one = Plan(select(PathNote.number).where(PathNote.id == bindparam("q_key")), ("one",))
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/t.db") as database:
        keys = await filled(database, 2)
        late, told = Told(), [Told(), Told()]

        def ask(answer: Told, key: Any) -> None:
            question = database.question(ADA, one, {"q_key": key})
            assert question is not None
            question[0].ask(question[1], answer)

        first = Told(lambda: ask(late, keys[0]))
        ask(first, keys[0])
        for each in told:
            ask(each, keys[0])
        reads = next(iter(one.kept.values()))
        broken = Told()
        reads.ask([object()], broken)
        assert not any(each.done() for each in (first, broken, *told)), "never before the question returns"
        await until(late.done)
        assert [each.found for each in (first, late, *told)] == [[(0,)]] * 4
        assert reads.fault(broken.found) is None, "SQLAlchemy's connection says what is wrong with it"
        async with database.writing(system("a change")) as unit:
            await unit.session.execute(update(PathNote).where(PathNote.id == keys[0]).values(number=7))
        again = [Told(), Told()]
        for each in again:
            ask(each, keys[0])
        await until(lambda: all(each.done() for each in again))
        assert [each.found for each in again] == [[(7,)]] * 2, "the moment before is left"


async def test_a_question_of_sqlite_that_is_slow_keeps_those_beside_it_from_the_loop(tmp_path: Path) -> None:
    number = select(literal(1).label("n")).cte("numbers", recursive=True)
    number = number.union_all(select(number.c.n + 1).where(number.c.n < 3_000_000))
    counting = Plan(select(func.count()).select_from(number), ("counting",))
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/t.db") as database:
        question = database.question(ADA, counting, {})
        assert question is not None
        reads, values = question
        told, began = [Told() for _ in range(50)], time.thread_time()
        for each in told:
            reads.ask(values, each)
        await until(lambda: all(each.done() for each in told))
        assert time.thread_time() - began < 0.1, "one of them was tried"
        assert [reads.fault(each.found) for each in told] == [None] * 50

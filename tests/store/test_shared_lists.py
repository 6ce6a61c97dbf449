"""Lists that share a statement: each what it would be alone, never an old one, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import Index, MetaData, String, text, update
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Principal, owner, role, system
from freehold.query.cursor import Cursors
from freehold.query.declare import build_spec
from freehold.query.parse import parse
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.declaration import Queries, Resource
from freehold.store import shared_lists
from freehold.store.database import Database
from freehold.store.executor import SessionExecutor
from freehold.store.plan_page import Page, fetch_page
from freehold.store.plans import ResourcePlans
from freehold.store.protection import Registry
from freehold.store.read_path_postgresql import PostgresReads
from freehold.store.shared_lists import MOST_ROWS, SharedLists
from tests.store.crowds import leave_and_die, stale_reads
from tests.waiting import until

pytestmark = pytest.mark.anyio
ADA, BOB, STAFF = Principal(id=new_id()), Principal(id=new_id()), Principal(id=new_id(), roles=frozenset({"staff"}))
ACCESS = Access(read=owner("owner_id") | role("staff"))
CURSORS = Cursors(b"0123456789abcdef")
KINDS = ("ash", "elm", "oak")
ROWS = 6_000
# As in a table of some age: no column follows another. Numbers come three times, so that the key decides the order.
FILL = f"""
INSERT INTO shared_leafs (id, owner_id, number, kind, colour, created_at, updated_at, row_version)
SELECT gen_random_uuid(), CASE n % 40 WHEN 0 THEN uuid '{ADA.id}' WHEN 1 THEN '{BOB.id}' ELSE gen_random_uuid() END, n / 3,
       coalesce((ARRAY['ash', 'elm', 'oak'])[1 + n / 41 % 43], 'fir'), CASE WHEN n < 60 THEN 'rare' ELSE 'common' END, now() + n * interval '1 second', now(), 1
  FROM generate_series(1, {ROWS}) n ORDER BY random()
"""


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class SharedLeaf(Base):
    __table_args__ = (
        Index(None, "owner_id", "number", "id"),
        Index(None, "kind", "number", "id"),
        Index(None, "number", "id"),
    )
    owner_id: Mapped[UUID]
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    colour: Mapped[str] = mapped_column(String(10), index=True)


class Leaf(BaseModel):
    id: UUID
    number: int
    kind: str
    colour: str
    created_at: datetime


QUERIES = Queries(filters=["kind", "kind__in", "number__gte", "colour"], sort=["-number", "created_at"])


def planned() -> ResourcePlans:
    return ResourcePlans(build_spec(Resource(SharedLeaf, access=ACCESS, queries=QUERIES), Leaf), Leaf)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    registry = Registry()
    registry.protect(SharedLeaf, ACCESS)
    found = Database.open(postgres_url, registry=registry, pool_size=8)
    async with found.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text(FILL))
        await connection.execute(text("ANALYZE shared_leafs"))
    await found.start()
    try:
        yield found
    finally:
        await found.close()


async def listed(database: Database, plans: ResourcePlans, who: Principal, question: dict[str, str]) -> Page:
    async with database.asking(who) as asking:
        query = parse(plans.spec, question.items())
        return await fetch_page(plans, asking, query, cursors=CURSORS, principal=who)


async def listed_plainly(database: Database, plans: ResourcePlans, who: Principal, question: dict[str, str]) -> Page:
    """By a statement of its own, through SQLAlchemy."""
    async with database.reading(who) as session:
        query = parse(plans.spec, question.items())
        return await fetch_page(plans, SessionExecutor(session), query, cursors=CURSORS, principal=who)


def path_of(database: Database) -> PostgresReads:
    found = database.read_path_of(ADA)
    assert isinstance(found, PostgresReads)
    return found


def numbers(page: Page) -> list[int]:
    return [each["number"] for each in json.loads(page.body)["items"]]


class Counted:
    """Lets every statement through and counts those that read rows, and how many of them are shared."""

    def __init__(self, database: Database, *, hold_seconds: float = 0.0) -> None:
        path = path_of(database)
        self.lanes = path.lanes
        self.alone = self.shared = 0
        self._run, self._hold = path.lanes.run, hold_seconds
        path.lanes.run = self.run  # type: ignore[method-assign]

    async def run(self, lane: Any, sql: str, values: Sequence[Any]) -> Any:
        if not sql.startswith("EXPLAIN"):
            self.shared += "LATERAL" in sql
            self.alone += "LATERAL" not in sql
        found = await self._run(lane, sql, values)
        await asyncio.sleep(self._hold)
        return found


async def met(database: Database, plans: ResourcePlans, who: Principal, question: dict[str, str]) -> None:
    """Have lists of a shape meet, so that the server has been asked whether they may share."""
    await asyncio.gather(*(listed(database, plans, who, question) for _ in range(4)))
    lanes = path_of(database).lanes
    await until(lambda: not lanes.in_use)


async def test_callers_who_share_a_statement_see_their_own_rows_alone(database: Database) -> None:
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    asked = [(who, {"limit": str(limit)}) for limit in range(1, 13) for who in (ADA, BOB, Principal(id=new_id()))]
    random.Random(5).shuffle(asked)
    found = await asyncio.gather(*(listed(database, plans, who, question) for who, question in asked))
    for (who, question), page in zip(asked, found, strict=True):
        assert page == await listed_plainly(database, plans, who, question)
        assert len(numbers(page)) == (int(question["limit"]) if who in (ADA, BOB) else 0)
    assert counted.shared == 1
    assert counted.alone == 0


async def test_a_list_that_nobody_else_asks_for_has_a_statement_of_its_own(database: Database) -> None:
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    for _ in range(5):
        await listed(database, plans, ADA, {})
    assert (counted.alone, counted.shared) == (5, 0)


async def test_no_statement_has_more_rows_than_it_may(database: Database) -> None:
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    found = await asyncio.gather(*(listed(database, plans, (ADA, BOB)[n % 2], {"limit": "100"}) for n in range(12)))
    assert {len(numbers(page)) for page in found} == {100}
    assert counted.shared == 12 // (MOST_ROWS // 101)


@pytest.mark.parametrize(
    ("question", "is_shared"),
    [
        ({}, True),
        ({"kind": "elm"}, True),
        ({"number__gte": "20"}, True),
        ({"sort": "number"}, True),
        # A rare colour by its index, a common one by the order of the list: which of them, only a value says.
        ({"colour": "rare"}, False),
        ({"kind": "elm", "colour": "rare"}, False),
        ({"kind__in": "elm,oak"}, False),
    ],
)
async def test_lists_share_only_where_the_server_reads_them_alike_whatever_the_values_are(
    database: Database, question: dict[str, str], is_shared: bool
) -> None:
    plans = planned()
    await met(database, plans, STAFF, question)
    counted = Counted(database)
    found = await asyncio.gather(*(listed(database, plans, STAFF, question) for _ in range(8)))
    assert set(found) == {await listed_plainly(database, plans, STAFF, question)}
    assert (counted.shared > 0) is is_shared


@pytest.mark.parametrize("sort", ["number", "-number", "created_at", "-created_at"])
async def test_later_pages_share_too(database: Database, sort: str) -> None:
    """An index of the first column alone finds the place, and leaves out rows that have its value."""
    plans, questions = planned(), [{"sort": sort, "limit": str(limit)} for limit in range(1, 9)]
    for question in questions:
        cursor = (await listed_plainly(database, plans, STAFF, question)).next_cursor
        assert cursor is not None
        question["cursor"] = cursor
    await met(database, plans, STAFF, questions[0])
    counted = Counted(database)
    found = await asyncio.gather(*(listed(database, plans, STAFF, question) for question in questions))
    assert found == [await listed_plainly(database, plans, STAFF, question) for question in questions]
    assert counted.shared == 1


LISTS = st.lists(
    st.tuples(
        st.sampled_from([ADA, BOB, STAFF, Principal()]),
        st.fixed_dictionaries(
            {"limit": st.integers(1, 100).map(str)},
            optional={
                "kind": st.sampled_from([*KINDS, "", "ebony", "é\"'\\", "x" * 20]),
                "number__gte": st.integers(-(2**31), 2**31 - 1).map(str) | st.integers(0, ROWS // 3).map(str),
                "sort": st.sampled_from(["number", "-number", "created_at", "-created_at"]),
            },
        ),
        st.integers(0, 2),
    ),
    min_size=2,
    max_size=30,
)


@settings(max_examples=40)
@given(asked=LISTS)
async def test_what_shares_a_statement_is_byte_for_byte_what_has_one_of_its_own(
    database: Database, asked: list[tuple[Principal, dict[str, str], int]]
) -> None:
    plans = kept_plans(database)
    questions = [(who, question) for who, question, _ in asked]
    for place, (who, question, pages) in enumerate(asked):
        for _ in range(pages):  # some begin further on
            page = await listed_plainly(database, plans, who, questions[place][1])
            if page.next_cursor is not None:
                questions[place] = who, {**question, "cursor": page.next_cursor}
    expected = [await listed_plainly(database, plans, who, question) for who, question in questions]
    for _ in range(2):  # they meet; then they may share
        assert await asyncio.gather(*(listed(database, plans, who, each) for who, each in questions)) == expected


def kept_plans(database: Database) -> ResourcePlans:
    """The same for all cases of a test, as a service has them."""
    if ResourcePlans not in database.parts:
        database.parts[ResourcePlans] = planned()
    found = database.parts[ResourcePlans]
    assert isinstance(found, ResourcePlans)
    return found


class Joining(SharedLists):
    """The mistake: who asks for what is on its way gets that."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.on_its_way: dict[str, Any] = {}

    async def read(self, values: list[Any]) -> Any:
        there = self.on_its_way.get(repr(values))
        if there is None or there.done():
            there = self.on_its_way[repr(values)] = asyncio.ensure_future(super().read(values))
        return await asyncio.shield(there)


@pytest.mark.parametrize("is_weakened", [False, True])
async def test_a_list_is_never_older_than_what_was_committed_before_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, is_weakened: bool
) -> None:
    if is_weakened:
        monkeypatch.setattr("freehold.store.read_path_postgresql.SharedLists", Joining)
    plans = planned()
    await met(database, plans, ADA, {"limit": "1"})
    counted = Counted(database, hold_seconds=0.004)
    key = json.loads((await listed(database, plans, ADA, {"limit": "1"})).body)["items"][0]["id"]

    def change(number: int) -> Any:
        return update(SharedLeaf).where(SharedLeaf.id == UUID(key)).values(number=number)

    async def read() -> int:
        (number,) = numbers(await listed(database, plans, ADA, {"limit": "1"}))
        return number

    stale = await stale_reads(database, range(ROWS, ROWS + (500 if is_weakened else 25)), change, read)
    assert bool(stale) is is_weakened
    assert is_weakened or counted.shared


async def test_readers_that_leave_and_connections_that_die_leave_nothing_behind(database: Database) -> None:
    plans, counted = planned(), Counted(database)
    await met(database, plans, ADA, {})

    async def read(dice: random.Random) -> None:
        assert len(numbers(await listed(database, plans, dice.choice((ADA, BOB)), {}))) == 20

    await leave_and_die(database, "fh_pair", read, pauses=(0, 0.001))
    await until(lambda: not counted.lanes.in_use)
    assert counted.shared
    assert len(numbers(await listed(database, plans, ADA, {}))) == 20


async def test_what_one_value_spoils_is_asked_for_by_each_alone(database: Database) -> None:
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    run = counted.lanes.run

    async def spoilt(lane: Any, sql: str, values: Sequence[Any]) -> Any:
        return await run(lane, sql.replace("SELECT fh_read.*", "SELECT 1 / (fh_pair.n - 2), fh_read.*"), values)

    counted.lanes.run = spoilt  # type: ignore[method-assign]
    found = await asyncio.gather(*(listed(database, plans, ADA, {}) for _ in range(6)))
    assert set(found) == {await listed_plainly(database, plans, ADA, {})}
    assert (counted.shared, counted.alone) == (1, 6)
    assert len(await asyncio.gather(*(listed(database, plans, ADA, {}) for _ in range(6)))) == 6
    assert counted.shared == 1, "for a while they stay apart"


async def test_a_shared_statement_that_takes_long_is_cut_short_and_the_lists_are_asked_for_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_lists, "MOST_SECONDS", 0.05)
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    async with database.writing(system("a migration")) as unit:
        await unit.session.execute(text("LOCK TABLE shared_leafs IN ACCESS EXCLUSIVE MODE"))
        reading = asyncio.gather(*(listed(database, plans, ADA, {}) for _ in range(6)))
        await until(lambda: counted.alone > 0)
    assert {len(numbers(page)) for page in await reading} == {20}
    assert (counted.shared, counted.alone) == (1, 6)
    await until(lambda: not counted.lanes.in_use)


async def test_nobody_waits_for_a_list_that_takes_long(database: Database) -> None:
    plans = planned()
    await met(database, plans, ADA, {})
    counted = Counted(database)
    run, held = counted.lanes.run, asyncio.Event()

    async def slow(lane: Any, sql: str, values: Sequence[Any]) -> Any:
        if BOB.id in values:
            await held.wait()
        return await run(lane, sql, values)

    counted.lanes.run = slow  # type: ignore[method-assign]
    slow_ones = []
    for _ in range(2):
        slow_ones.append(asyncio.ensure_future(listed(database, plans, BOB, {})))
        await asyncio.sleep(0.01)
    found = await asyncio.gather(*(listed(database, plans, ADA, {}) for _ in range(6)))
    assert {len(numbers(page)) for page in found} == {20}
    assert not any(each.done() for each in slow_ones)
    held.set()
    await asyncio.gather(*slow_ones)

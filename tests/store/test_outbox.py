"""The outbox: with its cause or not at all, at least once, in order per key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select, update

from freehold.jobs import Jobs
from freehold.resource.base import new_id
from freehold.resource.principal import Principal, system
from freehold.store import outbox as outbox_module
from freehold.store.database import Database
from freehold.store.outbox import OUTBOX, Event, Outbox, emit, is_heard
from freehold.store.session import Session
from freehold.testing.budget import watch
from tests.kept import Kept, kept, with_tables

pytestmark = pytest.mark.anyio

METADATA = MetaData()
SEEN = Table("seen", METADATA, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False))
USER = Principal(id=new_id())


@pytest.fixture(scope="module")
async def _kept(module_database: str) -> AsyncIterator[Kept]:
    async with kept(Database.open(module_database), with_tables(*METADATA.sorted_tables)) as found:
        yield found


@pytest.fixture
async def database(_kept: Kept) -> AsyncIterator[Database]:
    async with _kept.lent() as found:
        yield found


async def send(database: Database, *notes: str, key: str = "k", name: str = "thing.happened") -> None:
    async with database.writing(USER, request_id="r-1") as unit:
        for note in notes:
            await emit(unit.session, name, key=key, payload={"note": note})


async def see(db: Session, event: Event) -> None:
    await db.execute(insert(SEEN).values(note=event.payload["note"]))


async def seen(database: Database) -> list[str]:
    async with database.reading(system("test")) as session:
        return list((await session.execute(select(SEEN.c.note).order_by(SEEN.c.id))).scalars())


async def column(database: Database, name: str) -> list[Any]:
    async with database.reading(system("test")) as session:
        return list((await session.execute(select(OUTBOX.c[name]).order_by(OUTBOX.c.sequence))).scalars())


async def test_J01_an_event_is_rolled_back_with_its_cause(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # a unit that fails
        async with database.writing(USER) as unit:
            await emit(unit.session, "thing.happened", key="k", payload={"note": "never"})
            raise ZeroDivisionError
    outbox = Outbox(database)
    outbox.subscribe("thing.happened", see)
    assert await outbox.relay() == 0
    assert await seen(database) == []


async def test_J01_an_event_is_delivered_once_its_cause_has_committed(database: Database) -> None:
    got: list[Event] = []

    async def keep(db: Session, event: Event) -> None:
        assert db.principal.is_system
        got.append(event)

    outbox = Outbox(database)
    outbox.subscribe("thing.happened", keep)
    await send(database, "a")
    await send(database, "b", name="nobody.subscribes")
    assert await outbox.relay() == 2
    assert await outbox.relay() == 0
    assert [(event.type, event.key, event.payload, event.request_id) for event in got] == [
        ("thing.happened", "k", {"note": "a"}, "r-1")
    ]
    assert await column(database, "state") == ["delivered", "delivered"]


async def test_a_reading_session_emits_nothing(database: Database) -> None:
    async with database.reading(USER) as session:
        with pytest.raises(RuntimeError, match="only reads"):
            await emit(session, "a.b", key="k", payload={})


async def test_J01_a_failing_event_holds_up_its_key_alone_and_keeps_its_order(database: Database) -> None:
    broken = True

    async def see_unless_broken(db: Session, event: Event) -> None:
        await see(db, event)
        if broken and event.payload["note"] == "a1":
            raise ConnectionError

    outbox = Outbox(database)
    outbox.subscribe("thing.happened", see_unless_broken)
    await send(database, "a1", "a2", key="a")
    await send(database, "b1", "b2", key="b")
    await outbox.relay()
    assert await seen(database) == ["b1", "b2"]  # what the failed handler wrote is rolled back
    assert await column(database, "failures") == [1, 0, 0, 0]
    assert await column(database, "error") == ["ConnectionError", None, None, None]
    broken = False
    await due_now(database)
    await outbox.relay()
    assert await seen(database) == ["b1", "b2", "a1", "a2"]


async def due_now(database: Database) -> None:
    async with database.writing(system("test")) as unit:
        await unit.session.execute(update(OUTBOX).values(due_at=OUTBOX.c.created_at))


async def test_J03_an_event_that_always_fails_is_given_up_and_frees_its_key(database: Database) -> None:
    async def fail_first(db: Session, event: Event) -> None:
        await see(db, event)
        if event.payload["note"] == "bad":
            raise RuntimeError

    outbox = Outbox(database)
    outbox.subscribe("thing.happened", fail_first)
    await send(database, "bad", "good")
    for _ in range(outbox_module._TRIES):
        assert await seen(database) == []
        await due_now(database)
        await outbox.relay()
    await outbox.relay()
    assert await seen(database) == ["good"]
    assert await column(database, "state") == ["dead", "delivered"]


async def test_J02_two_relays_deliver_each_event_once_and_in_order(module_database: str, database: Database) -> None:
    other = Database.open(module_database)
    await other.start()
    for number in range(5):
        for key in "abc":
            await send(database, f"{key}{number}", key=key)
    relays = [Outbox(database), Outbox(other)]
    for relay in relays:
        relay.subscribe("thing.happened", see)
    for _ in range(10):  # a relay stops when the other holds all it could take
        await asyncio.gather(*(relay.relay() for relay in relays))
    await other.close()
    got = await seen(database)
    assert len(got) == 15
    for key in "abc":
        assert [note for note in got if note.startswith(key)] == [f"{key}{number}" for number in range(5)]


async def test_J01_numbers_of_one_key_grow_in_the_order_of_commits(database: Database) -> None:
    """A unit that emits first and commits last must not be overtaken by another of its key."""
    first_emitted, may_commit = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.writing(USER) as unit:
            await emit(unit.session, "thing.happened", key="k", payload={"note": "slow"})
            first_emitted.set()
            await may_commit.wait()

    slow_one = asyncio.create_task(slow())
    await first_emitted.wait()
    fast_one = asyncio.create_task(send(database, "fast"))
    outbox = Outbox(database)
    outbox.subscribe("thing.happened", see)
    await asyncio.sleep(0.2)
    if database.dialect_name == "postgresql":  # on SQLite the slow unit is the only writer
        assert await outbox.relay() == 0
        assert not fast_one.done()
    may_commit.set()
    await asyncio.gather(slow_one, fast_one)
    await outbox.relay()
    assert await seen(database) == ["slow", "fast"]


async def test_delivered_events_are_cleared_and_their_numbers_not_given_again(database: Database) -> None:
    outbox = Outbox(database)
    await send(database, "a")
    await outbox.relay()
    (before,) = await column(database, "sequence")
    assert await outbox.clear_delivered(older_than=timedelta(hours=1)) == 0
    assert await outbox.clear_delivered(older_than=timedelta(0)) == 1
    await send(database, "b")
    assert await outbox.clear_delivered(older_than=timedelta(0)) == 0  # it waits
    (after,) = await column(database, "sequence")
    assert after > before


async def test_J01_a_commit_wakes_the_relay_of_a_started_runner(database: Database) -> None:
    outbox = Outbox(database)
    delivered = asyncio.Event()

    async def tell(db: Session, event: Event) -> None:
        delivered.set()

    outbox.subscribe("thing.happened", tell)
    jobs = Jobs(database, outbox=outbox, poll=timedelta(minutes=5))
    await jobs.start()
    await asyncio.sleep(0.1)
    await send(database, "a")
    async with asyncio.timeout(10):
        await delivered.wait()
    await jobs.stop()


async def test_J01_what_nobody_waits_for_is_passed_over_in_one_unit(database: Database) -> None:
    for number in range(5):
        await send(database, "unheard", key=f"k{number}", name="nobody.cares")
    await send(database, "heard", key="k5")
    outbox = Outbox(database)
    outbox.subscribe("thing.happened", see)
    statements = watch(database)
    assert await outbox.relay() == 6
    assert sum(each.startswith("UPDATE") for each in statements) == 2, "one for all of them, one for what was heard"
    assert await column(database, "state") == ["delivered"] * 6
    assert await seen(database) == ["heard"]


async def test_a_resource_s_event_is_written_where_somebody_waits_for_it(database: Database) -> None:
    async with database.writing(USER) as unit:
        assert is_heard(unit.session.parts, "things.created"), "no outbox here knows who waits"
    outbox = Outbox(database)
    async with database.writing(USER) as unit:
        assert not is_heard(unit.session.parts, "things.created")
        outbox.subscribe("things.created", see)
        assert is_heard(unit.session.parts, "things.created")

"""Lists on scoped connections: the rule is written in by the connection, and nothing tells of a hidden row (Z03)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, Float, ForeignKey, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.query.cursor import Cursors
from freehold.query.declare import build_spec
from freehold.query.parse import parse
from freehold.resource.access import anyone, owner, role
from freehold.resource.base import NAMING, Base, new_id
from freehold.resource.columns import folded, search_document
from freehold.resource.declaration import Access, Geo, Queries, Resource
from freehold.resource.principal import ANONYMOUS, Principal, system
from freehold.resource.schemas import derive_read
from freehold.store.database import Database
from freehold.store.executor import SessionExecutor
from freehold.store.functions import register_sqlite
from freehold.store.plan_page import fetch_one, fetch_page
from freehold.store.plans import ResourcePlans
from freehold.store.protection import Registry

pytestmark = pytest.mark.anyio

CURSORS = Cursors(b"0123456789abcdef")


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


links = Table(
    "scoped_links",
    Local.metadata,
    Column("house_id", ForeignKey("scoped_houses.id"), primary_key=True),
    Column("tag_id", ForeignKey("scoped_tags.id"), primary_key=True),
)


class ScopedTag(Local):
    owner_id: Mapped[UUID]
    text: Mapped[str]


class ScopedRoom(Local):
    owner_id: Mapped[UUID]
    name: Mapped[str]
    house_id: Mapped[UUID] = mapped_column(ForeignKey("scoped_houses.id"))
    house: Mapped[ScopedHouse] = relationship(back_populates="rooms")


class ScopedHouse(Local):
    owner_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(100))
    title_key: Mapped[str] = folded("title", index=True)
    city: Mapped[str]
    latitude: Mapped[float] = mapped_column(Float, index=True)
    longitude: Mapped[float] = mapped_column(Float)
    search: Mapped[str] = search_document("title", "city")
    rooms: Mapped[list[ScopedRoom]] = relationship(back_populates="house", order_by="ScopedRoom.name")
    tags: Mapped[list[ScopedTag]] = relationship(secondary=links)


OWN = Access(read=owner("owner_id") | role("staff"), write=anyone)
QUERIES = {
    ScopedHouse: Queries(
        sort=["title", "distance"],
        search=["title", "city"],
        geo=Geo(),
        expand=["rooms", "tags"],
        facets=["city"],
    ),
    ScopedRoom: Queries(expand=["house"]),
    ScopedTag: Queries(),
}


def plans_of() -> dict[Any, ResourcePlans]:
    registry: dict[Any, ResourcePlans] = {}
    for model, queries in QUERIES.items():
        read: type[BaseModel] = derive_read(model)
        spec = build_spec(Resource(model, access=OWN, queries=queries), read, expandable=list(QUERIES))
        registry[model] = ResourcePlans(spec, read, registry=registry)
    return registry


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Local.metadata.create_all)
    await engine.dispose()
    registry = Registry()
    for model in QUERIES:
        registry.protect(model, OWN)
    database = Database.open(url, registry=registry)
    await database.start()
    try:
        yield database
    finally:
        await database.close()


A, B = Principal(id=new_id()), Principal(id=new_id())
STAFF = Principal(id=new_id(), roles=frozenset({"staff"}))
QUESTIONS: list[dict[str, str]] = [
    {"count": "true", "limit": "2"},
    {"sort": "-title", "count": "true"},
    {"q": "house oslo", "count": "true"},
    {"q": "東京"},
    {"facets": "city", "limit": "1"},
    {"near": "59.9,10.7", "within_km": "50", "sort": "distance"},
    {"bbox": "10,59,11,60", "count": "true"},
    {"title__contains": "HOUSE"},
    {"expand": "rooms,tags"},
]


def house(caller: Principal, number: int, city: str) -> ScopedHouse:
    assert caller.id is not None
    made = ScopedHouse(
        owner_id=caller.id, title=f"House 東京 {number}", city=city, latitude=59.9, longitude=10.7 + number / 100
    )
    made.rooms = [ScopedRoom(owner_id=caller.id, name=f"room {number}")]
    made.tags = [ScopedTag(owner_id=caller.id, text=f"tag {number}")]
    return made


async def answers(database: Database, caller: Principal) -> list[bytes]:
    plans = plans_of()[ScopedHouse]
    found: list[bytes] = []
    async with database.reading(caller) as session:
        for question in QUESTIONS:
            cursor: str | None = None
            for _ in range(4):
                at = [("cursor", cursor)] if cursor else []
                query = parse(plans.spec, [*question.items(), *at])
                got = await fetch_page(plans, SessionExecutor(session), query, cursors=CURSORS, principal=caller)
                found.append(got.body + repr((got.next_cursor, got.prev_cursor)).encode())
                cursor = got.next_cursor
                if cursor is None:
                    break
    return found


@pytest.mark.slow
async def test_Z03_every_answer_is_the_same_with_and_without_rows_of_others(database_url):
    async with opened(database_url) as database:
        async with database.writing(system("seed")) as unit:
            unit.session.add_all([house(A, number, "Oslo") for number in range(5)])
        before = await answers(database, A)
        assert len(before) > len(QUESTIONS)
        assert not any(b'"items":[]' in each for each in before)
        assert all(b'"items":[]' in each for each in await answers(database, ANONYMOUS))
        async with database.writing(system("seed")) as unit:
            mine = (await unit.session.scalars(select(ScopedHouse))).first()
            assert mine is not None
            others = [house(B, number, city) for number, city in enumerate(["Oslo", "Bergen", "Oslo"])]
            unit.session.add_all(others)
            await unit.session.flush()
            # Rows of another caller below and beside a row of one's own.
            unit.session.add(ScopedRoom(owner_id=B.id, name="a hidden room", house_id=mine.id))
            await unit.session.execute(links.insert().values(house_id=mine.id, tag_id=others[0].tags[0].id))
        assert await answers(database, A) == before
        everything = await answers(database, STAFF)
        assert b'"total":8' in everything[0]
        assert any(b"a hidden room" in each for each in everything)


async def test_Z03_a_hidden_parent_is_null(database_url):
    async with opened(database_url) as database:
        async with database.writing(system("seed")) as unit:
            theirs = house(B, 1, "Oslo")
            unit.session.add(theirs)
            await unit.session.flush()
            mine = ScopedRoom(owner_id=A.id, name="mine", house_id=theirs.id)
            unit.session.add(mine)
        plans = plans_of()[ScopedRoom]
        async with database.reading(A) as session:
            found = await fetch_one(plans, SessionExecutor(session), mine.id, expand=("house",))
            assert found is not None
            body, version = found
            assert (json.loads(body)["house"], version) == (None, 1)
            assert await fetch_one(plans, SessionExecutor(session), theirs.rooms[0].id) is None
        async with database.reading(B) as session:
            found = await fetch_one(plans, SessionExecutor(session), theirs.rooms[0].id, expand=("house",))
            assert found is not None
            assert json.loads(found[0])["house"]["title"] == "House 東京 1"


async def test_Z03_callers_alternate_on_one_kept_plan(database_url):
    async with opened(database_url) as database:
        async with database.writing(system("seed")) as unit:
            unit.session.add_all([*(house(A, n, "Oslo") for n in range(2)), *(house(B, n, "Rome") for n in range(3))])
        plans = plans_of()[ScopedHouse]
        for _ in range(5):
            for caller, number in ((A, 2), (B, 3), (ANONYMOUS, 0), (STAFF, 5)):
                async with database.reading(caller) as session:
                    query = parse(plans.spec, [("q", "house")])
                    got = await fetch_page(plans, SessionExecutor(session), query, cursors=CURSORS, principal=caller)
                    assert len(json.loads(got.body)["items"]) == number


async def test_a_list_in_a_unit_shows_what_it_has_written(database_url):
    async with opened(database_url) as database:
        plans = plans_of()[ScopedHouse]
        async with database.writing(A) as unit:
            unit.session.add(house(A, 1, "Oslo"))
            query = parse(plans.spec, [("q", "oslo"), ("near", "59.9,10.7")])
            executor = SessionExecutor(unit.session)
            got = await fetch_page(plans, executor, query, cursors=CURSORS, principal=A)
            (item,) = json.loads(got.body)["items"]
            assert item["distance_km"] == pytest.approx(0.558, abs=0.001)


class WithoutMathematics:
    """A connection of an SQLite that was built without mathematical functions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.create_function = connection.create_function

    def cursor(self) -> WithoutMathematics:
        return self

    def execute(self, statement: str) -> None:
        raise sqlite3.OperationalError(f"no such function: asin in {statement}")

    def close(self) -> None:
        """Nothing is open."""


def test_functions_that_sqlite_lacks_are_registered():
    connection = sqlite3.connect(":memory:")
    register_sqlite(WithoutMathematics(connection))
    asked = "SELECT 2 * 6371.0088 * asin(1), power(sin(radians(90)), 2), sqrt(NULL), cos(0)"
    assert connection.execute(asked).fetchone() == (pytest.approx(20015.1, abs=0.1), 1, None, 1)
    connection.close()

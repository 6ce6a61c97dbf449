"""The index behind `__contains` changes what a look costs, and no answer."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from sqlalchemy import MetaData, String, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from freehold.query.cursor import Cursors
from freehold.query.declare import build_spec
from freehold.query.parse import parse
from freehold.resource.access import anyone
from freehold.resource.base import NAMING, Base
from freehold.resource.columns import folded
from freehold.resource.declaration import Access, Queries, Resource
from freehold.resource.fold import fold
from freehold.resource.principal import ANONYMOUS
from freehold.resource.schemas import derive_read
from freehold.store import migrate, plan_search
from freehold.store.executor import SessionExecutor
from freehold.store.plan_page import fetch_page
from freehold.store.plans import ResourcePlans
from tests.sessions import session_on

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CURSORS = Cursors(b"0123456789abcdef")
# What people write, and what is syntax to LIKE, to FTS5 or to pg_trgm.
PIECES = [
    "an",
    "na",
    "ban",
    "Été",
    "ŁÓDŹ ",
    "東京都",
    "京",
    "🏠",
    "%",
    "_",
    "\\",
    '"',
    "'",
    "*",
    "-",
    " AND ",
    "(",
    "ﬁ",
    "x" * 5,
]


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class RunLooked(Local):
    number: Mapped[int] = mapped_column(unique=True)
    title: Mapped[str | None] = mapped_column(String(200))
    title_key: Mapped[str | None] = folded("title", contains=True)


class RunScanned(Local):
    number: Mapped[int] = mapped_column(unique=True)
    title: Mapped[str | None] = mapped_column(String(200))
    title_key: Mapped[str | None] = folded("title")


def plans_of(model: Any) -> ResourcePlans:
    queries = Queries(filters=["title__contains"], sort=["number"], max_page_size=1000)
    read = derive_read(model)
    return ResourcePlans(build_spec(Resource(model, access=Access(read=anyone), queries=queries), read), read)


async def found(session: AsyncSession, plans: ResourcePlans, needle: str) -> tuple[list[int], int]:
    query = parse(plans.spec, [("title__contains", needle), ("limit", "1000"), ("count", "true")])
    page = await fetch_page(plans, SessionExecutor(session), query, cursors=CURSORS, principal=ANONYMOUS)
    body = json.loads(page.body)
    return [each["number"] for each in body["items"]], body["total"]


@pytest.mark.long
async def test_the_same_rows_with_and_without_the_index(database_url, monkeypatch):
    random = Random(20)
    looked, scanned = plans_of(RunLooked), plans_of(RunScanned)

    def piece(most: int) -> str:
        return "".join(random.choices(PIECES, k=random.randint(0, most)))

    async with session_on(database_url, Local.metadata) as session:
        if session.bind.dialect.name == "postgresql":
            await session.execute(text("SET enable_seqscan = off"))
        rows: list[tuple[RunLooked, RunScanned]] = []
        for number in range(150):
            title = None if number % 20 == 0 else piece(8)
            rows.append((RunLooked(number=number, title=title), RunScanned(number=number, title=title)))
        session.add_all(each for pair in rows for each in pair)
        await session.flush()
        for attempt in range(80):
            pair = random.choice(rows)
            if attempt % 8 == 0:
                pair[0].title = pair[1].title = piece(8)
            if attempt % 16 == 8:
                rows.remove(pair)
                for each in pair:
                    await session.delete(each)
            await session.flush()
            # A needle of many rows goes another way than one of few.
            monkeypatch.setattr(plan_search, "MOST_RARE", (0, 10, 1_000)[attempt % 3])
            key = pair[0].title_key or ""
            at = random.randint(0, max(len(key) - 3, 0))
            needle = (key[at : at + random.randint(1, 9)] if attempt % 2 else piece(3)) or "a"
            numbers, total = await found(session, looked, needle)
            assert (numbers, total) == await found(session, scanned, needle), needle
            keys = [(each.number, each.title_key) for each, _ in rows]
            held = [number for number, held in keys if held is not None and fold(needle) in held]
            assert numbers == sorted(held), needle


async def test_the_index_serves_three_characters_and_more(database_url):
    async with session_on(database_url, Local.metadata) as session:
        session.add_all(RunLooked(number=n, title=f"row number {n} of many") for n in range(1500))
        await session.flush()
        if session.bind.dialect.name == "postgresql":
            await session.execute(text("SET enable_seqscan = off"))
            like = select(RunLooked.id).where(RunLooked.title_key.like("%number 77%"))
            plan = [row[0] for row in await session.execute(text(f"EXPLAIN {_literal(session, like)}"))]
            assert any("ix_run_lookeds_title_key_trigrams" in row for row in plan), plan
            return
        plans, executor = plans_of(RunLooked), SessionExecutor(session)
        for needle, is_rare in (("number 77", True), ("er", False), ("many", False)):
            query = parse(plans.spec, [("title__contains", needle)])
            (asked,) = (await plan_search.weighed(plans, executor, query)).conditions
            assert asked.by_runs is is_rare, needle


def _literal(session: AsyncSession, statement: Any) -> str:
    return str(statement.compile(session.bind.sync_engine, compile_kwargs={"literal_binds": True})).replace("%%", "%")


async def test_migrations_make_and_drop_the_index(database_url, tmp_path):
    history = migrate.Migrations(tmp_path / "migrations", database_url, [Local.metadata])
    if database_url.startswith("postgresql"):
        await migrate.upgrade_own(database_url, say=print)
    made = await migrate.make(history, "first", say=print)
    assert made is not None
    assert "ix_run_lookeds_title_key_trigrams" in made.read_text(encoding="utf-8")
    await migrate.up(history, say=print)
    assert await migrate.check(history) == []
    assert await migrate.make(history, "nothing new", say=print) is None
    async with session_on(database_url, MetaData()) as session:
        session.add(RunLooked(number=1, title="a needle in hay"))
        await session.flush()
        assert await found(session, plans_of(RunLooked), "NEEDLE") == ([1], 1)
        await session.rollback()
    await migrate.down(history, "base", say=print)
    async with session_on(database_url, MetaData()) as session:
        connection = await session.connection()
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert not [name for name in left if name.startswith("run_")]

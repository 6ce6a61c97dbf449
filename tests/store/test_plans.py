"""Lists, from the text of a request to bytes, on both databases."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import (
    REAL,
    Column,
    ForeignKey,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.errors import BadRequest
from freehold.query.cursor import START, Cursors
from freehold.query.declare import build_spec
from freehold.query.links import page_links
from freehold.query.parse import parse
from freehold.resource.access import anyone, nobody
from freehold.resource.base import NAMING, Base, new_id
from freehold.resource.columns import folded
from freehold.resource.declaration import Access, Filter, Queries, Ranges, Resource
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.resource.schemas import derive_read
from freehold.store.encode import Visibility
from freehold.store.executor import SessionExecutor
from freehold.store.plan_page import Page, fetch_page
from freehold.store.plans import ResourcePlans
from tests.sessions import session_on

pytestmark = pytest.mark.anyio

CURSORS = Cursors(b"0123456789abcdef")


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Shade(Enum):
    DARK = "dark"
    LIGHT = "light"


labels = Table(
    "plan_tome_labels",
    Local.metadata,
    Column("tome_id", ForeignKey("plan_tomes.id"), primary_key=True),
    Column("label_id", ForeignKey("plan_labels.id"), primary_key=True),
)


class PlanWriter(Local):
    name: Mapped[str]
    tomes: Mapped[list[PlanTome]] = relationship(back_populates="writer")


class PlanLabel(Local):
    text: Mapped[str]


class PlanTome(Local):
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = folded("title", index=True)
    year: Mapped[int | None] = mapped_column(index=True)
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 2), index=True)
    out_on: Mapped[date | None]
    pages: Mapped[int] = mapped_column(SmallInteger, default=1)
    weight: Mapped[float] = mapped_column(REAL, default=1.5)
    shade: Mapped[Shade] = mapped_column(default=Shade.DARK)
    writer_id: Mapped[UUID | None] = mapped_column(ForeignKey("plan_writers.id"))
    writer: Mapped[PlanWriter | None] = relationship(back_populates="tomes")
    labels: Mapped[list[PlanLabel]] = relationship(secondary=labels)

    @property
    def shout(self) -> str:
        return self.title.upper()


READ = derive_read(PlanTome)


def plans_of(queries: Queries | None = None, read: type[BaseModel] = READ) -> ResourcePlans:
    registry: dict[Any, ResourcePlans] = {}
    for model in (PlanWriter, PlanLabel):
        other = Resource(model, access=Access(read=anyone))
        schema = derive_read(model)
        registry[model] = ResourcePlans(build_spec(other, schema), schema)
    resource = Resource(PlanTome, name="tomes", access=Access(read=anyone), queries=queries or Queries())
    spec = build_spec(resource, read, expandable=list(registry))
    return ResourcePlans(spec, read, registry=registry)


async def page(session: AsyncSession, plans: ResourcePlans, *params: tuple[str, str], **options: Any) -> Page:
    query = parse(plans.spec, params)
    options.setdefault("principal", ANONYMOUS)
    return await fetch_page(plans, SessionExecutor(session), query, cursors=CURSORS, **options)


async def items(session: AsyncSession, plans: ResourcePlans, *params: tuple[str, str], **options: Any) -> list[Any]:
    found: list[Any] = json.loads((await page(session, plans, *params, **options)).body)["items"]
    return found


async def titles(session: AsyncSession, plans: ResourcePlans, *params: tuple[str, str]) -> list[str]:
    return [each["title"] for each in await items(session, plans, *params)]


async def shelf(session: AsyncSession) -> None:
    session.add_all(
        [
            PlanTome(title="Ébano", year=1990, price=Decimal("10.50"), out_on=date(2020, 2, 29), shade=Shade.DARK),
            PlanTome(title="zebra", year=None, price=None, out_on=None, shade=Shade.LIGHT),
            PlanTome(title="Ada", year=2001, price=Decimal("9.99"), out_on=date(2021, 1, 1), shade=Shade.LIGHT),
            PlanTome(title="100% cotton_", year=1990, price=Decimal("0.10"), out_on=None, shade=Shade.DARK),
        ]
    )
    await session.flush()


FILTERS: list[tuple[dict[str, str], set[str]]] = [
    ({"year": "1990"}, {"Ébano", "100% cotton_"}),
    ({"year__ne": "1990"}, {"zebra", "Ada"}),
    ({"year__gt": "1990"}, {"Ada"}),
    ({"year__gte": "1990", "year__lt": "2001"}, {"Ébano", "100% cotton_"}),
    ({"year__lte": "9223372036854775807"}, {"Ébano", "Ada", "100% cotton_"}),
    ({"year__in": "2001,1,-9223372036854775808"}, {"Ada"}),
    ({"year__isnull": "true"}, {"zebra"}),
    ({"year__isnull": "false"}, {"Ébano", "Ada", "100% cotton_"}),
    ({"price__gte": "9.99"}, {"Ébano", "Ada"}),
    ({"price": "10.5"}, {"Ébano"}),
    ({"price": "10.501"}, set()),
    ({"price__lt": "0.101"}, {"100% cotton_"}),
    ({"out_on": "2020-02-29"}, {"Ébano"}),
    ({"out_on__gt": "2020-02-29"}, {"Ada"}),
    ({"shade": "light"}, {"zebra", "Ada"}),
    ({"shade__in": "light,dark", "year": "2001"}, {"Ada"}),
    ({"title": "Ébano"}, {"Ébano"}),
    ({"title": "ebano"}, set()),
    ({"title__contains": "EBA"}, {"Ébano"}),
    ({"title__contains": "%"}, {"100% cotton_"}),
    ({"title__contains": "n_"}, {"100% cotton_"}),
    ({"title__contains": "\\"}, set()),
    ({"title__gte": "E"}, {"Ébano", "zebra"}),
    ({"created_at__gt": "2999-01-01T00:00:00+02:00"}, set()),
    ({"created_at__lte": "9999-12-31T23:59:59Z"}, {"Ébano", "zebra", "Ada", "100% cotton_"}),
    ({"created_at__gt": "0001-01-01T00:00:00Z"}, {"Ébano", "zebra", "Ada", "100% cotton_"}),
    ({"out_on__gte": "0001-01-01"}, {"Ébano", "Ada"}),
    ({"price__gt": "9" * 28 + "." + "9" * 28}, set()),
    ({"price__gt": "-" + "9" * 28}, {"Ébano", "Ada", "100% cotton_"}),
    ({"pages__lt": "3000000000"}, {"Ébano", "Ada", "zebra", "100% cotton_"}),
    ({"pages__in": "1,-9223372036854775808"}, {"Ébano", "Ada", "zebra", "100% cotton_"}),
    ({"weight__lt": "1e300"}, {"Ébano", "Ada", "zebra", "100% cotton_"}),
    ({"weight": "1.5"}, {"Ébano", "Ada", "zebra", "100% cotton_"}),
    ({"title": "'; DROP TABLE plan_tomes; --"}, set()),
]


@pytest.mark.slow
async def test_filters_mean_the_same_on_both_databases(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        for params, expected in FILTERS:
            assert set(await titles(session, plans_of(), *params.items())) == expected, params


async def test_text_sorts_by_its_folded_key(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        session.add_all([PlanTome(title=each) for each in ("äb", "AC", "ß", "st")])
        await session.flush()
        found = await titles(session, plans_of(), ("sort", "title"))
        assert found == ["100% cotton_", "äb", "AC", "Ada", "Ébano", "ß", "st", "zebra"]


SORTS = [
    "price,-year",
    "-price",
    "year",
    "-year",
    "year,-title",
    "-year,title",
    "title,-year",
    "-id",
    "created_at,-year",
]


@pytest.mark.slow
async def test_N02_pages_forward_and_back_show_every_row_once(database_url):
    async with session_on(database_url, Local.metadata) as session:
        for number in range(11):
            session.add(PlanTome(title=f"t{number % 4}", year=None if number % 3 == 0 else number % 2))
            session.add(PlanTome(title="p", price=None if number % 4 == 0 else Decimal(number % 3) / 100))
        await session.flush()
        for sort in SORTS:
            for limit in ("1", "2", "3", "11"):
                await _there_and_back(session, ("sort", sort), ("limit", limit))


async def _there_and_back(session: AsyncSession, *question: tuple[str, str]) -> None:
    plans = plans_of()
    whole = await items(session, plans, question[0], ("limit", "100"))
    found = await page(session, plans, *question)
    assert found.prev_cursor is None
    forward = json.loads(found.body)["items"]
    while found.next_cursor is not None:
        found = await page(session, plans, *question, ("cursor", found.next_cursor))
        assert found.prev_cursor is not None
        forward += json.loads(found.body)["items"]
    assert forward == whole
    backward = json.loads(found.body)["items"]
    while found.prev_cursor is not None:
        found = await page(session, plans, *question, ("cursor", found.prev_cursor))
        assert found.next_cursor is not None
        backward = json.loads(found.body)["items"] + backward
    assert backward == whole


async def test_null_stands_last_ascending_and_first_descending(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        found = [each["year"] for each in await items(session, plans_of(), ("sort", "year"))]
        assert found == [1990, 1990, 2001, None]
        found = [each["year"] for each in await items(session, plans_of(), ("sort", "-year"))]
        assert found == [None, 2001, 1990, 1990]


@given(
    years=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=12),
    steps=st.lists(st.tuples(st.sampled_from(["insert", "delete", "none"]), st.integers(0, 100)), max_size=20),
    sort=st.sampled_from(["year", "-year", "-id", "title,-year", "-created_at"]),
)
@settings(max_examples=20)
@pytest.mark.slow
def test_N02_rows_that_stay_appear_once_while_others_come_and_go(tmp_path_factory, years, steps, sort):
    async def walk() -> None:
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('walk')}/test.db"
        async with session_on(url, Local.metadata) as session:
            await _walk(session, years, steps, sort)

    asyncio.run(walk())


async def test_N02_rows_that_stay_appear_once_on_postgresql_too(postgres_url):
    async with session_on(postgres_url, Local.metadata) as session:
        steps = [("insert", 3), ("delete", 0), ("delete", 1), ("insert", 50), ("none", 0), ("delete", 4), ("insert", 1)]
        for sort in ("year", "-year", "title,-year"):
            await session.execute(delete(PlanTome))
            await _walk(session, [None, 1, 2, 1, 0, None, 3, 2, 2, 1], steps, sort)


async def _walk(session: AsyncSession, years: list[int | None], steps: list[tuple[str, int]], sort: str) -> None:
    plans = plans_of()
    start = [PlanTome(title=f"t{place % 3}", year=year) for place, year in enumerate(years)]
    session.add_all(start)
    await session.flush()
    alive = {str(row.id) for row in start}
    seen: list[str] = []
    cursor: str | None = None
    todo = list(steps)
    while True:
        at = [("cursor", cursor)] if cursor else []
        found = await page(session, plans, ("sort", sort), ("limit", "2"), *at)
        seen += [each["id"] for each in json.loads(found.body)["items"]]
        cursor = found.next_cursor
        if cursor is None:
            break
        kind, number = todo.pop() if todo else ("none", 0)
        if kind == "insert":
            session.add(PlanTome(title=f"n{number % 4}", year=number % 4))
            await session.flush()
        elif kind == "delete" and alive:
            gone = sorted(alive)[number % len(alive)]
            await session.execute(delete(PlanTome).where(PlanTome.id == UUID(gone)))
            alive.discard(gone)
    assert len(seen) == len(set(seen))
    assert alive <= set(seen)


async def test_N02_a_page_emptied_meanwhile_leads_back(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        plans = plans_of()
        first = await page(session, plans, ("sort", "title"), ("limit", "2"))
        await session.execute(delete(PlanTome).where(PlanTome.title.in_(["Ébano", "zebra"])))
        second = await page(session, plans, ("sort", "title"), ("limit", "2"), ("cursor", first.next_cursor or ""))
        assert (json.loads(second.body)["items"], second.next_cursor) == ([], None)
        back = await titles(session, plans, ("sort", "title"), ("limit", "2"), ("cursor", second.prev_cursor or ""))
        assert back == ["100% cotton_", "Ada"]


async def test_Z03_a_cursor_is_bound_to_caller_and_question(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        plans = plans_of()
        mine = Principal(id=new_id())
        cursor = (await page(session, plans, ("limit", "1"), principal=mine)).next_cursor
        assert cursor is not None
        assert len(await items(session, plans, ("limit", "2"), ("cursor", cursor), principal=mine)) == 2
        for principal, params in [
            (Principal(id=new_id()), {}),
            (ANONYMOUS, {}),
            (mine, {"year": "1990"}),
            (mine, {"sort": "id"}),
        ]:
            with pytest.raises(BadRequest) as refused:
                await page(session, plans, *params.items(), ("cursor", cursor), principal=principal)
            assert refused.value.problem_code == "query.bad_cursor"


async def test_total_counts_all_pages_and_links_lead_on(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        params = [("limit", "1"), ("count", "true"), ("year", "1990")]
        found = await page(session, plans_of(), *params)
        assert json.loads(found.body)["total"] == 2
        header = page_links("/v1/tomes", params, next_cursor=found.next_cursor, prev_cursor=found.prev_cursor)
        assert header.startswith("</v1/tomes?limit=1&count=true&year=1990&cursor=")
        assert 'rel="next"' in header
        assert 'rel="prev"' not in header
        assert header.endswith('</v1/tomes?limit=1&count=true&year=1990>; rel="first"')


async def test_facets_count_without_their_own_filter(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        plans = plans_of(Queries(filters=["shade", "year"], facets=["shade", "year", Ranges("price", [5, 10])]))
        found = json.loads((await page(session, plans, ("facets", "shade,year,price"), ("shade", "dark"))).body)
        assert found["facets"] == {
            "shade": {"values": [{"value": "dark", "count": 2}, {"value": "light", "count": 2}], "others": 0},
            "year": {"values": [{"value": 1990, "count": 2}], "others": 0},
            "price": {
                "values": [
                    {"from": None, "to": 5, "count": 1},
                    {"from": 5, "to": 10, "count": 0},
                    {"from": 10, "to": None, "count": 1},
                ],
                "others": 0,
            },
        }
        assert len(found["items"]) == 2


async def test_facets_show_the_twenty_most_frequent_and_count_the_others(database_url):
    async with session_on(database_url, Local.metadata) as session:
        for year in range(1900, 1925):
            session.add(PlanTome(title=f"{year}", year=year))
        session.add_all([PlanTome(title="again", year=1924, price=Decimal("7.5")), PlanTome(title="unknown")])
        await session.flush()
        plans = plans_of(Queries(filters=["year", "price__lt"], facets=["year", Ranges("price", [5, 10])]))
        found = json.loads((await page(session, plans, ("facets", "year,price"))).body)["facets"]
        assert found["year"]["values"][0] == {"value": 1924, "count": 2}
        assert [each["value"] for each in found["year"]["values"][1:3]] == [1900, 1901]
        assert (len(found["year"]["values"]), found["year"]["others"]) == (20, 6)
        assert ([each["count"] for each in found["price"]["values"]], found["price"]["others"]) == ([0, 1, 0], 26)
        own = json.loads((await page(session, plans, ("facets", "price"), ("price__lt", "1"))).body)
        assert (own["items"], own["facets"]["price"]["values"][1]["count"]) == ([], 1)
        none = json.loads((await page(session, plans, ("facets", "year"), ("price__lt", "1"))).body)
        assert none["facets"] == {"year": {"values": [], "others": 0}}


async def test_a_filter_of_ones_own_takes_part(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        decade = Filter({"decade": int}, lambda given: PlanTome.year.between(given["decade"], given["decade"] + 9))
        plans = plans_of(Queries(filters=["shade", decade]))
        assert set(await titles(session, plans, ("decade", "1990"))) == {"Ébano", "100% cotton_"}
        assert await titles(session, plans, ("decade", "2000"), ("shade", "light")) == ["Ada"]
        assert json.loads((await page(session, plans, ("decade", "2000"), ("count", "true"))).body)["total"] == 1


async def library(session: AsyncSession) -> None:
    ada, bob = PlanWriter(name="Ada"), PlanWriter(name="Bob")
    red, blue = PlanLabel(text="red"), PlanLabel(text="blue")
    session.add_all([ada, bob, red, blue])
    await session.flush()
    for number in range(3):
        session.add(PlanTome(title=f"a{number}", writer=ada, labels=[red, blue][: number % 3]))
    session.add_all([PlanTome(title="b0", writer=bob), PlanTome(title="none")])
    await session.flush()


async def test_expand_takes_one_statement_each(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await library(session)
        plans = plans_of(Queries(sort=["title"], expand=["writer", "labels"]))
        statements: list[str] = []
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        found = await items(session, plans, ("expand", "writer,labels"))
        assert len(statements) == 3
        by_title = {each["title"]: each for each in found}
        assert by_title["a0"]["writer"]["name"] == "Ada"
        assert set(by_title["a0"]["writer"]) == set(derive_read(PlanWriter).model_fields)
        assert by_title["none"]["writer"] is None
        assert [[label["text"] for label in by_title[f"a{n}"]["labels"]] for n in range(3)] == [
            [],
            ["red"],
            ["red", "blue"],
        ]


async def test_expand_one_to_many_is_capped_per_parent(database_url):
    async with session_on(database_url, Local.metadata) as session:
        ada, bob = PlanWriter(name="Ada"), PlanWriter(name="Bob")
        session.add_all([ada, bob])
        await session.flush()
        session.add_all([PlanTome(title=f"a{n}", writer=ada) for n in range(103)] + [PlanTome(title="b", writer=bob)])
        await session.flush()
        resource = Resource(PlanWriter, access=Access(read=anyone), queries=Queries(expand=["tomes"]))
        schema = derive_read(PlanWriter)
        plans = ResourcePlans(
            build_spec(resource, schema, expandable=[PlanTome]), schema, registry={PlanTome: plans_of()}
        )
        found = {each["name"]: each["tomes"] for each in await items(session, plans, ("expand", "tomes"))}
        assert len(found["Ada"]) == 100
        assert [each["title"] for each in found["Bob"]] == ["b"]


async def test_Z05_a_hidden_field_is_in_no_row_and_a_flagged_one_where_it_may(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        visibility = Visibility(frozenset({"price"}), {"year": PlanTome.title == "Ada"}, "v")
        found = {e["title"]: e for e in await items(session, plans_of(), visibility_of=lambda _: visibility)}
        assert not any("price" in each for each in found.values())
        assert found["Ada"]["year"] == 2001
        assert not any("year" in each for title, each in found.items() if title != "Ada")


class Shouting(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    title: str
    shout: str
    writer: Any = None


class Computed(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    heading: str = Field(validation_alias="title", serialization_alias="Heading")
    year: int | None
    note: str = "none"

    @computed_field
    def double(self) -> int:
        return 2 * (self.year or 0)


async def test_a_schema_of_columns_needs_no_objects_and_another_gets_them(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        by_column = plans_of(Queries(filters=["year"]), Computed)
        assert not by_column.encoder.is_orm
        assert await items(session, by_column, ("year", "2001")) == [
            {"Heading": "Ada", "year": 2001, "note": "none", "double": 4002}
        ]
        by_object = plans_of(Queries(filters=["title"]), Shouting)
        assert by_object.encoder.is_orm
        assert await items(session, by_object, ("title", "Ada")) == [{"title": "Ada", "shout": "ADA", "writer": None}]


async def test_bytes_equal_the_schema_over_the_object(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        body = (await page(session, plans_of(), ("title", "Ada"))).body
        (stored,) = (await session.scalars(_select_title("Ada"))).all()
        expected = READ.model_validate(stored, from_attributes=True).model_dump_json(by_alias=True).encode()
        assert body == b'{"items":[' + expected + b'],"next_cursor":null}'


def _select_title(title: str) -> Any:
    return select(PlanTome).where(PlanTome.title == title)


async def test_one_row_by_key_carries_its_version(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await shelf(session)
        plans = plans_of()
        (stored,) = (await session.scalars(_select_title("Ada"))).all()
        (row,) = await SessionExecutor(session).fetch(plans.one(), {"q_key": stored.id})
        assert row.fh_version == 1
        assert json.loads(plans.encoder.items([row])[0])["title"] == "Ada"
        assert await SessionExecutor(session).fetch(plans.one(), {"q_key": new_id()}) == []


async def test_plans_are_kept_by_shape_and_bounded(database_url):
    plans = plans_of()

    def plan(**params: str) -> Any:
        return plans.page(parse(plans.spec, list(params.items())), START)

    assert plan(year="1990") is plan(year="7", limit="3")
    assert plan(year="1990") is not plan(year__gt="1990")
    assert plan(year__isnull="true") is not plan(year__isnull="false")
    names = [f"{name}__{op}" for name in ("year", "price", "out_on", "title") for op in ("lt", "gt", "lte", "gte")]
    for mask in range(400):
        values = {"year": "1", "price": "1", "out_on": "2020-01-01", "title": "x"}
        plan(**{n: values[n.split("__")[0]] for i, n in enumerate(names) if mask >> i & 1})
    assert len(plans._kept) <= 256


async def test_nobody_reads_a_field_then_it_cannot_be_asked_for():
    resource = Resource(PlanTome, access=Access(read=anyone, read_fields={"price": nobody}))
    assert "price" not in build_spec(resource, READ).fields


async def test_a_core_insert_derives_and_an_old_instant_compares(database_url):
    async with session_on(database_url, Local.metadata) as session:
        await session.execute(insert(PlanTome.__table__), [{"title": "Über", "year": 1}])
        before = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        assert await titles(session, plans_of(), ("title__contains", "uber"), ("created_at__lt", before)) == ["Über"]

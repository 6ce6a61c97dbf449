"""Rows become the bytes that FastAPI would have sent, whatever the types."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    field_serializer,
    model_validator,
)
from sqlalchemy import JSON, BigInteger, Double, LargeBinary, MetaData, Numeric, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from freehold.query.cursor import START
from freehold.query.declare import build_spec
from freehold.query.parse import parse
from freehold.resource.access import anyone
from freehold.resource.base import NAMING, Base
from freehold.resource.declaration import Access, Resource
from freehold.store.encode import Encoder, envelope, spliced
from freehold.store.executor import ConnectionExecutor, SessionExecutor
from freehold.store.plan_conditions import page_values
from freehold.store.plans import ResourcePlans

pytestmark = pytest.mark.anyio


class Local(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Hue(Enum):
    RED = "red"
    BLUE = "blue"


class EncodeThing(Local):
    text: Mapped[str | None]
    number: Mapped[int | None] = mapped_column(BigInteger)
    share: Mapped[float | None] = mapped_column(Double)
    money: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    flag: Mapped[bool | None]
    other_id: Mapped[UUID | None]
    on: Mapped[date | None]
    at: Mapped[datetime | None]
    clock: Mapped[time | None]
    hue: Mapped[Hue | None]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    extra: Mapped[Any] = mapped_column(JSON, nullable=True)

    @property
    def loud(self) -> str:
        return (self.text or "").upper()


class Whole(BaseModel):
    model_config = ConfigDict(from_attributes=True, ser_json_bytes="base64")
    id: UUID
    text: str | None
    number: int | None
    share: float | None
    money: Decimal | None
    flag: bool | None
    other_id: UUID | None
    on: date | None
    at: datetime | None
    clock: time | None
    hue: Hue | None
    raw: bytes | None
    extra: Any
    cents: Annotated[int | None, PlainSerializer(lambda value: value and f"{value}c")] = Field(
        validation_alias="number", serialization_alias="inCents"
    )
    fixed: list[int] = [1]

    @field_serializer("text")
    def _text(self, value: str | None) -> str:
        return f"<{value}>"


PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=5,
)
ROWS = st.fixed_dictionaries(
    {
        "text": st.none() | PLAIN,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "share": st.none() | st.floats(allow_nan=False),
        "money": st.none() | st.decimals(-(10**8), 10**8, places=2),
        "flag": st.none() | st.booleans(),
        "other_id": st.none() | st.uuids(),
        "on": st.none() | st.dates(),
        "at": st.none() | st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
            lambda found: found.replace(tzinfo=UTC)
        ),
        "clock": st.none() | st.times(),
        "hue": st.none() | st.sampled_from(Hue),
        "raw": st.none() | st.binary(max_size=8),
        "extra": JSONS,
    }
)  # fmt: skip


@given(rows=st.lists(ROWS, min_size=5, max_size=15))
@settings(max_examples=6)
@pytest.mark.filterwarnings("ignore:Dialect sqlite.*Decimal")
def test_bytes_equal_those_of_the_schema_over_objects(database_url, rows):
    asyncio.run(_compare(database_url, rows))


async def _compare(url: str, rows: list[dict[str, Any]]) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Local.metadata.drop_all)
            await connection.run_sync(Local.metadata.create_all)
        async with AsyncSession(engine) as session:
            session.add_all([EncodeThing(**row) for row in rows])
            await session.commit()
            plans = plans_of(Whole)
            assert not plans.encoder.is_orm
            query = parse(plans.spec, [("limit", "100")])
            connection = await session.connection()
            found = await ConnectionExecutor(connection).fetch(
                plans.page(query, START), page_values(plans.spec, query, START)
            )
            objects = (await session.scalars(select(EncodeThing).order_by(EncodeThing.id.desc()))).all()
            adapter = TypeAdapter(list[Whole])
            expected = adapter.dump_json(adapter.validate_python(objects), by_alias=True)
            assert plans.encoder.array(found) == expected
            assert b"[%b]" % b",".join(plans.encoder.items(found)) == expected
    finally:
        await engine.dispose()


def plans_of(read: type[BaseModel]) -> ResourcePlans:
    spec = build_spec(Resource(EncodeThing, access=Access(read=anyone)), read)
    return ResourcePlans(spec, read)


class Property(BaseModel):
    loud: str


class Looking(BaseModel):
    text: str | None

    @model_validator(mode="before")
    @classmethod
    def _look(cls, whole: Any) -> Any:
        return whole


class Inside(BaseModel):
    first: str = Field(validation_alias=AliasPath("extra", "first"))


class Preferring(BaseModel):
    heading: str = Field(validation_alias=AliasChoices("loud", "text"))


class Choosing(BaseModel):
    heading: str | None = Field(validation_alias=AliasChoices("headline", "text"))


class Unknown(BaseModel):
    text: str | None
    missing: int


@pytest.mark.parametrize(
    ("read", "is_orm"),
    [(Property, True), (Looking, True), (Inside, True), (Preferring, True), (Unknown, True), (Choosing, False)],
)
def test_objects_are_loaded_only_where_the_schema_needs_them(read, is_orm):
    assert Encoder(EncodeThing, read).is_orm is is_orm


async def test_a_plan_of_objects_needs_a_session(tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    plans = plans_of(Property)
    try:
        async with engine.connect() as connection:
            with pytest.raises(TypeError, match="run it through a session"):
                await ConnectionExecutor(connection).fetch(plans.one(), {"q_key": uuid4()})
        async with engine.begin() as connection:
            await connection.run_sync(Local.metadata.create_all)
        async with AsyncSession(engine, expire_on_commit=False) as session:
            thing = EncodeThing(text="a", at=datetime.now(UTC) - timedelta(days=1))
            session.add(thing)
            await session.flush()
            rows = await SessionExecutor(session).fetch(plans.one(), {"q_key": thing.id})
            assert plans.encoder.items(rows) == [b'{"loud":"A"}']
            assert rows[0].fh_version == 1
    finally:
        await engine.dispose()


def test_members_are_added_to_an_object():
    assert spliced(b"{}", [('a"', b"1")]) == b'{"a\\"":1}'
    assert spliced(b'{"b":2}', [("a", b"1"), ("c", b"null")]) == b'{"b":2,"a":1,"c":null}'
    assert spliced(b'{"b":2}', []) == b'{"b":2}'
    assert json.loads(envelope(b"[]", next_cursor=None, extra=[("total", b"0")])) == {
        "items": [],
        "next_cursor": None,
        "total": 0,
    }

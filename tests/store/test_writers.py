"""What orjson gets for a stored value is written as what the value means."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import JSON, Boolean, Date, Double, Integer, MetaData, Numeric, Uuid
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from freehold.query.cursor import Cursors, Position
from freehold.resource.base import NAMING, Base, UTCDateTime
from freehold.resource.principal import ANONYMOUS
from freehold.store.encode import Encoder
from freehold.store.encode_exact import ExactEncoder
from freehold.store.writers import teller, writer


class Hue(Enum):
    RED = "red"


STORED: dict[str, tuple[Any, Any, st.SearchStrategy[Any]]] = {
    "key": (Uuid(), UUID, st.uuids().map(lambda found: found.hex)),
    "key, spelt otherwise": (Uuid(), UUID, st.uuids().map(lambda found: str(found).upper())),
    "instant": (
        UTCDateTime(),
        datetime,
        st.datetimes().map(lambda found: found.isoformat(" ", "microseconds")),
    ),
    "instant with a zone": (
        UTCDateTime(),
        datetime,
        st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)).map(  # noqa: DTZ001 (its zone follows)
            lambda found: f"{found.isoformat(' ')}+05:30"
        ),
    ),
    "date": (Date(), date, st.dates().map(str)),
    "flag": (Boolean(), bool, st.sampled_from([0, 1])),
    "money": (Numeric(12, 2), Decimal, st.floats(-(10**6), 10**6)),
    "share": (Double(), float, st.floats(allow_nan=False)),
    "number": (Integer(), int, st.integers(-(2**63), 2**63 - 1)),
    "hue": (EnumType(Hue), Hue, st.just("RED")),
}


@pytest.mark.parametrize("name", STORED)
@given(data=st.data())
def test_stored_values_of_sqlite_are_written_as_pydantic_writes_what_they_mean(name, data):
    type_, meaning, stored = STORED[name]
    dialect = sqlite.dialect()
    decoder = type_._cached_result_processor(dialect, None)
    value = data.draw(st.none() | stored)
    write = writer(type_, decoder, dialect)
    adapter = TypeAdapter(meaning | None)
    meant = value if decoder is None else decoder(value)
    row = [value if write is None else write(value)]
    assert ExactEncoder(["v"]).each([row]) == [b'{"v":%b}' % adapter.dump_json(adapter.validate_python(meant))]


@pytest.mark.parametrize("name", [name for name in STORED if name not in ("flag", "hue")])
@given(data=st.data())
def test_a_cursor_is_the_same_whether_it_holds_what_is_told_of_a_value_or_what_the_value_means(name, data):
    type_, _, stored = STORED[name]
    dialect = sqlite.dialect()
    decoder = type_._cached_result_processor(dialect, None)
    tell = teller(type_, decoder, dialect)
    value = data.draw(st.none() | stored)
    told, meant = (value if make is None else make(value) for make in (tell, decoder))
    cursors = Cursors(b"k" * 32)
    sealed = [
        cursors.seal(Position("after", (each,)), resource="r", principal=ANONYMOUS, digest="d")
        for each in (told, meant)
    ]
    assert sealed[0] == sealed[1]


def test_postgresql_gives_instants_as_orjson_takes_them():
    dialect = postgresql.asyncpg.dialect()
    assert writer(UTCDateTime(), UTCDateTime()._cached_result_processor(dialect, None), dialect) is None
    assert ExactEncoder(["at"]).many([[datetime(2024, 1, 2, tzinfo=UTC)]]) == b'[{"at":"2024-01-02T00:00:00Z"}]'


class Person(Base):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Holder(Person):
    roles: Mapped[list[str]] = mapped_column(JSON)
    other: Mapped[Any] = mapped_column(JSON)


class Held(BaseModel):
    roles: list[str]


class Anything(BaseModel):
    other: Any


def test_a_list_of_text_is_written_at_once_and_other_json_is_left_to_pydantic():
    found = Encoder(Holder, Held).exact
    assert found is not None
    assert found.many([[["a", "ü"]], [[]]]) == '[{"roles":["a","ü"]},{"roles":[]}]'.encode()
    for odd in (None, "a", [1], [None], {"a": 1}, ["a", ["b"]]):
        with pytest.raises(TypeError):
            found.each([[odd]])
    assert Encoder(Holder, Anything).exact is None

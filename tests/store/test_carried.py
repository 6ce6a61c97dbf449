"""Values that are carried to the bytes of an answer without an object between: the same bytes, and the same values."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import Uuid, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.resource.base import UTCDateTime
from freehold.store.carried import CarriedInstant, CarriedKey, carried, instant_text, told

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
BEGIN, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FOREVER, NEVER = b"\x7f" + 7 * b"\xff", b"\x80" + 7 * b"\x00"


class Carriage(Base):
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    spelt: Mapped[UUID] = mapped_column(Uuid(native_uuid=False))
    told: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    number: Mapped[int]


def sent(instant: datetime) -> bytes:
    """As the server sends it."""
    return ((instant - EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)


def written(instant: datetime) -> Any:
    return orjson.loads(orjson.dumps(instant, option=orjson.OPT_UTC_Z))


def instants() -> list[datetime]:
    chance = random.Random(7)
    spans = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=59, microseconds=999_999), timedelta(days=1)]
    edges = [each for span in spans for each in (EPOCH + span, EPOCH - span, BEGIN + span, END - span)]
    whole = int((END - BEGIN) / timedelta(seconds=1))
    some = [BEGIN + timedelta(seconds=chance.randrange(whole)) for _ in range(500)]
    return edges + some + [each.replace(microsecond=chance.randrange(1_000_000)) for each in some]


def test_instants_are_written_as_orjson_writes_them_and_read_as_they_are() -> None:
    reader = CarriedInstant()
    for each in instants():
        assert instant_text(sent(each)) == written(each)
        assert reader.process_result_value(sent(each), DIALECT) == each


def test_a_cursor_tells_them_as_it_tells_what_they_mean() -> None:
    teller = told(CarriedInstant(), None)
    assert teller is not None
    assert all(teller(sent(each)) == each.isoformat() for each in instants())
    assert teller(None) is None
    assert told(CarriedKey(), str) is None
    assert told(Uuid(), str) is str


def test_instants_beyond_time_are_its_ends() -> None:
    reader = CarriedInstant()
    assert instant_text(FOREVER) == written(END)
    assert instant_text(NEVER) == written(BEGIN)
    assert reader.process_result_value(FOREVER, DIALECT) == END
    assert reader.process_result_value(NEVER, DIALECT) == BEGIN


def test_what_is_none_stays_none() -> None:
    assert instant_text(None) is None
    assert CarriedInstant().process_result_value(None, DIALECT) is None
    assert CarriedKey().process_result_value(None, DIALECT) is None


@pytest.mark.parametrize("year", [-4712, 10_010, 290_000])
def test_an_instant_that_python_has_not_is_no_other_one(year: int) -> None:
    micro = (year - 2000) * 365 * 86_400_000_000
    value = micro.to_bytes(8, "big", signed=True)
    with pytest.raises((OverflowError, ValueError)):
        instant_text(value)
    with pytest.raises(OverflowError):
        CarriedInstant().process_result_value(value, DIALECT)


def test_a_key_is_the_same_key() -> None:
    key = uuid4()
    assert CarriedKey().process_result_value(str(key), DIALECT) == key


def test_columns_of_other_types_and_those_beyond_the_first_stay_as_they_are() -> None:
    table = Carriage.__table__.c
    shown = (table.id, table.seen_at, table.spelt, table.told, table.number)
    statement = select(*(each.label(each.name) for each in shown), table.created_at.label("later"))
    changed = carried(statement.order_by(table.seen_at, table.id), len(shown))
    assert isinstance(changed.selected_columns.id.type, CarriedKey)
    assert isinstance(changed.selected_columns.seen_at.type, CarriedInstant)
    for name in ("spelt", "told", "number", "later"):
        assert changed.selected_columns[name].type is statement.selected_columns[name].type
    text = str(changed.compile(dialect=DIALECT))
    assert text.endswith(
        "ORDER BY carriages.seen_at, carriages.id"
    )  # the columns, not the texts that are shown of them

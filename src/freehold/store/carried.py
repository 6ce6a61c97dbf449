"""Columns of PostgreSQL that are read to be written as JSON again: carried in a form that no object has to be made of.

asyncpg makes a datetime of an instant, by adding a span to an epoch, and an object of its own of each UUID, of which orjson
asks Python what it is. Eight bytes and a text cost the driver a tenth of that. Whoever looks at a value still gets what it
means: these are types like any other, whose processors make it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Dialect, Label, LargeBinary, Select, Text, Uuid, cast, func, type_coerce
from sqlalchemy.types import TypeDecorator

from freehold.resource.base import UTCDateTime

S = TypeVar("S")
Decoder = Callable[[Any], Any] | None

_MOST_KEPT: Final = 10_000
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(2000, 1, 1).toordinal()
_DAY: Final = 86_400_000_000
_MINUTE: Final = 60_000_000
_SECOND: Final = 1_000_000
# What the server has for instants beyond time, and what asyncpg makes of them.
_BEYOND: Final = {
    b"\x7f" + 7 * b"\xff": datetime.max.replace(tzinfo=UTC),
    b"\x80" + 7 * b"\x00": datetime.min.replace(tzinfo=UTC),
}


class CarriedInstant(TypeDecorator[datetime]):
    """An instant as the server sends it: microseconds since 2000, eight bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> datetime | None:
        """As `UTCDateTime` gives it."""
        if value is None:
            return None
        beyond = _BEYOND.get(value)
        return beyond or _EPOCH + timedelta(microseconds=int.from_bytes(value, "big", signed=True))


class CarriedKey(TypeDecorator[UUID]):
    """A UUID as text."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> UUID | None:
        """As `Uuid` gives it."""
        return None if value is None else UUID(value)


def carried(statement: S, number: int) -> S:
    """The statement with so many of its columns, from the first, carried; those whose types have no such form stay."""
    if not isinstance(statement, Select) or not number:
        return statement
    columns: list[Any] = list(statement.selected_columns)
    found: Any = statement.with_only_columns(
        *(_carried(each) for each in columns[:number]), *columns[number:], maintain_column_froms=True
    )
    return found  # type: ignore[no-any-return]


def _carried(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if not isinstance(column, Label):
        return column
    type_ = column.type
    if type(type_) is UTCDateTime:
        return func.timestamptz_send(column.element, type_=CarriedInstant()).label(column.name)
    if type(type_) is Uuid and type_.as_uuid and type_.native_uuid:
        return type_coerce(cast(column.element, Text), CarriedKey()).label(column.name)
    return column


def told(type_: Any, decoder: Decoder) -> Decoder:
    """How a value of a column stands in a cursor: as what it means, or as the text that this has there."""
    if type(type_) is CarriedKey:
        return None
    return _isoformat if type(type_) is CarriedInstant else decoder


def _isoformat(value: bytes | None) -> str | None:
    text = instant_text(value)
    return None if text is None else f"{text[:-1]}+00:00"


@lru_cache(maxsize=_MOST_KEPT)
def instant_text(value: bytes | None) -> str | None:
    """What orjson writes for the instant: in UTC, with microseconds where there are any."""
    if value is None:
        return None
    if value in _BEYOND:
        return _BEYOND[value].isoformat().replace("+00:00", "Z")
    day, rest = divmod(int.from_bytes(value, "big", signed=True), _DAY)
    minute, rest = divmod(rest, _MINUTE)
    second, parts = divmod(rest, _SECOND)
    hour, minute = divmod(minute, 60)
    if parts:
        return "%sT%02d:%02d:%02d.%06dZ" % (_day(day), hour, minute, second, parts)  # noqa: UP031 (half as quick otherwise)
    return "%sT%02d:%02d:%02dZ" % (_day(day), hour, minute, second)  # noqa: UP031


@lru_cache(maxsize=_MOST_KEPT)
def _day(number: int) -> str:
    return date.fromordinal(_FIRST_DAY + number).isoformat()

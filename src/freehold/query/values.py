"""Text of a query parameter -> value. Strict: nothing is trimmed, rounded or guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from freehold.query.fields import FieldSpec, Kind
from freehold.resource.values import Day, Instant

T = TypeVar("T")

MAX_TEXT_CHARACTERS: Final = 1_000
"""A text value longer than this is refused: no index entry is as long."""
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,28}(\.[0-9]{1,28})?", re.ASCII)
_FLOAT: Final = re.compile(r"-?[0-9]{1,28}(\.[0-9]{1,28})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BOOLEANS: Final = {"true": True, "false": False}
_DAY: Final[TypeAdapter[date]] = TypeAdapter(Day)
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)


class BadValue(ValueError):
    """The text is no value of its kind. The message is fit for a client and repeats nothing it sent."""


def printable_text(value: str) -> str:
    """Text of any length without control characters and lone surrogates."""
    if _FORBIDDEN.search(value):
        raise BadValue("Control characters are not allowed.")
    return value


def text(value: str) -> str:
    """Text without control characters and lone surrogates, at most 1,000 characters."""
    printable_text(value)
    if len(value) > MAX_TEXT_CHARACTERS:
        raise BadValue(f"At most {MAX_TEXT_CHARACTERS} characters.")
    return value


def integer(value: str) -> int:
    """A decimal integer of at most 64 bits."""
    if not _INTEGER.fullmatch(value):
        raise BadValue("Expected an integer of at most 64 bits.")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise BadValue("Expected an integer of at most 64 bits.")
    return number


def decimal(value: str) -> Decimal:
    """A decimal number without exponent."""
    if not _DECIMAL.fullmatch(value):
        raise BadValue("Expected a decimal number of at most 28 digits on either side of the point.")
    return Decimal(value)


def number(value: str) -> float:
    """A finite number."""
    found = float(value) if _FLOAT.fullmatch(value) else math.inf
    if not math.isfinite(found):
        raise BadValue("Expected a finite number.")
    return found


def boolean(value: str) -> bool:
    """`true` or `false`."""
    if value not in _BOOLEANS:
        raise BadValue("Expected true or false.")
    return _BOOLEANS[value]


def uuid(value: str) -> UUID:
    """A UUID in its usual form of five groups."""
    if not _UUID.fullmatch(value):
        raise BadValue("Expected a UUID.")
    return UUID(value)


def day(value: str) -> date:
    """A date that exists, `YYYY-MM-DD`."""
    return _read(_DAY, value, "Expected a date that exists, YYYY-MM-DD.")


def instant(value: str) -> datetime:
    """An RFC 3339 instant with an offset, in UTC."""
    hint = " A + in an address is written %2B." if " " in value else ""
    return _read(_INSTANT, value, f"Expected an RFC 3339 instant with Z or an offset.{hint}")


def _read(adapter: TypeAdapter[T], value: str, message: str) -> T:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        raise BadValue(message) from None


def _naive_instant(value: str) -> datetime:
    return instant(value).replace(tzinfo=None)


PARSERS: Final[Mapping[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: text,
    Kind.INTEGER: integer,
    Kind.DECIMAL: decimal,
    Kind.FLOAT: number,
    Kind.BOOLEAN: boolean,
    Kind.UUID: uuid,
    Kind.DATE: day,
    Kind.INSTANT: instant,
    Kind.NAIVE_INSTANT: _naive_instant,
}


def parse_value(field: FieldSpec, value: str) -> Any:
    """The value of a field. Raises BadValue."""
    if field.kind is Kind.CHOICE:
        if value not in field.choices:
            raise BadValue(f"Expected one of {', '.join(sorted(field.choices))}.")
        return field.choices[value]
    return PARSERS[field.kind](value)

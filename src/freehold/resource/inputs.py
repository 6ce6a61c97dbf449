"""What a client may send for a column of each type, and what it is shown."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import (
    AfterValidator,
    AllowInfNan,
    Field,
    JsonValue,
    NaiveDatetime,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError

from freehold.errors import ConfigurationError
from freehold.resource.base import UTCDateTime
from freehold.resource.values import LINE_PATTERN, LONG_TEXT, PROSE_PATTERN, UNBOUNDED_TEXT, Day, Instant

DECIMAL_DIGITS = 28
"""Digits that a numeric column without a precision takes: Python's default decimal context."""
_INTEGER_BITS: tuple[tuple[type[sa.Integer], int], ...] = ((sa.BigInteger, 64), (sa.SmallInteger, 16), (sa.Integer, 32))


def stored_type(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """The type beneath the decorators, save `UTCDateTime`, which says more than what it decorates."""
    while isinstance(kind, sa.TypeDecorator) and not isinstance(kind, UTCDateTime):
        kind = kind.impl_instance
    return kind


def input_type(kind: sa.types.TypeEngine[Any], place: str) -> Any:
    """The type of what a client may send for a column. place: named when there is none (`ConfigurationError`)."""
    kind = stored_type(kind)
    if isinstance(kind, UTCDateTime) or (isinstance(kind, sa.DateTime) and kind.timezone):
        return Instant
    if isinstance(kind, sa.String):
        return _choice(kind) if isinstance(kind, sa.Enum) else _text(kind)
    for integer, bits in _INTEGER_BITS:
        if isinstance(kind, integer):
            return Annotated[StrictInt, Field(ge=-(2 ** (bits - 1)), le=2 ** (bits - 1) - 1)]
    if isinstance(kind, sa.Float | sa.Numeric):
        return _number(kind)
    if isinstance(kind, sa.ARRAY):
        return list[input_type(kind.item_type, place)]  # type: ignore[misc]  # a type made at run time
    return _simple(kind, place)


def _simple(kind: sa.types.TypeEngine[Any], place: str) -> Any:
    for known, annotation in _INPUTS:
        if isinstance(kind, known):
            return annotation
    raise ConfigurationError(
        f"{place}: no input type is known for {kind!r}. Say it: mapped_column(..., info={{'schema': SomeType}}), "
        "or give the resource schemas of its own."
    )


def output_type(kind: sa.types.TypeEngine[Any]) -> Any:
    """The type of what is sent for a column: without constraints, since stored rows are not judged again."""
    kind = stored_type(kind)
    if isinstance(kind, UTCDateTime):
        return datetime
    if isinstance(kind, sa.Enum):
        return kind.enum_class or str
    if isinstance(kind, sa.JSON):
        return Any
    if isinstance(kind, sa.ARRAY):
        return list[output_type(kind.item_type)]  # type: ignore[misc]  # a type made at run time
    try:
        return kind.python_type
    except NotImplementedError:
        return Any


def _text(kind: sa.String) -> Any:
    length = kind.length
    multiline = isinstance(kind, sa.Text) or length is None or length > LONG_TEXT
    pattern = PROSE_PATTERN if multiline else LINE_PATTERN
    return Annotated[str, StringConstraints(strict=True, max_length=length or UNBOUNDED_TEXT, pattern=pattern)]


def _number(kind: sa.Float[Any] | sa.Numeric[Any]) -> Any:
    if isinstance(kind, sa.Float) or not kind.asdecimal:
        return Annotated[float, Field(strict=True), AllowInfNan(False)]
    digits, places = kind.precision or DECIMAL_DIGITS, kind.scale
    limits = Field(max_digits=digits, decimal_places=places)
    return Annotated[Decimal, limits, AllowInfNan(False), WithJsonSchema(_decimal_schema(digits, places))]


def decimal_places(kind: sa.types.TypeEngine[Any]) -> int | None:
    """How many a column keeps of a number; None where it is no decimal, or keeps all."""
    kind = stored_type(kind)
    if not isinstance(kind, sa.Numeric) or isinstance(kind, sa.Float) or kind.precision is None:
        return None
    return kind.scale or 0  # with a precision and no scale SQL keeps whole numbers


def _decimal_schema(digits: int, places: int | None) -> JsonSchemaValue:
    """Said in full, where Pydantic would say "any number or any string"."""
    fraction = digits if places is None else places
    whole = max(digits - fraction, 1) if places is not None else digits
    tail = rf"(\.\d{{1,{fraction}}})?" if fraction else ""
    limit = 10 ** max(digits - fraction, 0) if places is not None else 10**digits
    return {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": -limit, "exclusiveMaximum": limit},
            {"type": "string", "pattern": rf"^-?\d{{1,{whole}}}{tail}$"},
        ]
    }


def _choice(kind: sa.Enum) -> Any:
    if kind.enum_class is not None:
        return kind.enum_class
    allowed = frozenset(kind.enums)

    def check(value: str) -> str:
        if value not in allowed:
            raise PydanticCustomError("enum", "Input should be one of the listed values")
        return value

    return Annotated[str, Field(json_schema_extra={"enum": list(kind.enums)}), AfterValidator(check)]


_INPUTS: tuple[tuple[type[sa.types.TypeEngine[Any]], Any], ...] = (
    (sa.Boolean, StrictBool),
    (sa.Uuid, UUID),
    (sa.Date, Day),
    (sa.DateTime, NaiveDatetime),
    (sa.Time, time),
    (sa.Interval, timedelta),
    (sa.JSON, JsonValue),
    (sa.LargeBinary, bytes),
)

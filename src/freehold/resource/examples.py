"""An example for each column, so that the documents show a body that can be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from freehold.resource.base import UTCDateTime
from freehold.resource.inputs import stored_type

_EXAMPLES: tuple[tuple[type[sa.types.TypeEngine[Any]], Any], ...] = (
    (UTCDateTime, "2026-03-14T09:26:53Z"),
    (sa.DateTime, "2026-03-14T09:26:53"),
    (sa.Date, "2026-03-14"),
    (sa.Time, "09:26:53"),
    (sa.Interval, "PT1H"),
    (sa.Boolean, True),
    (sa.Integer, 1),
    (sa.Float, 1.5),
    (sa.Uuid, "01980a2e-5f0c-7c3a-9b1e-2d4f6a8c0e11"),
    (sa.JSON, {"key": "value"}),
    (sa.LargeBinary, "aGVsbG8="),
)

_TEXTS = ("reader@example.org", "https://example.org/", "a", "aa", "AAA", "a" * 12, "123456")
_NUMBERS = (0, 10, 100, 2026, 100_000, -1, 0.5)
_NUMERIC = (sa.Integer, sa.Float, sa.Numeric)


def examples(column: sa.Column[Any]) -> Iterator[Any]:
    """Values in their wire form that the column may take, the plainest first: its constraints decide."""
    yield _plain(column)
    kind = stored_type(column.type)
    yield from _TEXTS if isinstance(kind, sa.String) else _NUMBERS if isinstance(kind, _NUMERIC) else ()


def _plain(column: sa.Column[Any]) -> Any:
    kind = stored_type(column.type)
    if isinstance(kind, sa.Enum):
        return kind.enums[0] if not kind.enum_class else next(iter(kind.enum_class)).value
    if isinstance(kind, sa.String):
        return column.name.replace("_", " ").capitalize()[: kind.length]
    if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float):
        return (
            "1" + "." * bool(kind.scale) + "0" * (kind.scale or 0) if (kind.precision or 9) > (kind.scale or 0) else "0"
        )
    if isinstance(kind, sa.ARRAY):
        return []
    return next((value for known, value in _EXAMPLES if isinstance(kind, known)), None)


def fits(value: Any, annotation: Any) -> bool:
    """Whether an example keeps the constraints of its field: one that does not would mislead."""
    try:
        TypeAdapter(annotation).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True

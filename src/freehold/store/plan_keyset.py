"""Keyset order: which rows come after a place, whatever the directions and wherever NULL stands.

NULL counts as larger than every value on both databases: last when ascending, first when descending. That is the
order of a plain PostgreSQL index, and SQLite can read one so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, false, func, or_, select, tuple_
from sqlalchemy.types import TypeEngine

_FIRSTS: Final = (date.min, datetime.min, datetime.min.replace(tzinfo=UTC))  # noqa: DTZ901 (of columns without a zone)
_LASTS: Final = (date.max, datetime.max, datetime.max.replace(tzinfo=UTC))  # noqa: DTZ901


class Mark(Enum):
    """What of a place's value stands in the text of the condition."""

    NULL = 0
    FIRST = 1
    LAST = 2


def marks_of(values: Sequence[Any]) -> tuple[Mark | None, ...]:
    """By place, what is special about a value."""
    return tuple(map(_mark, values))


def _mark(value: Any) -> Mark | None:
    if value is None:
        return Mark.NULL
    if not isinstance(value, date):
        return None
    return Mark.FIRST if value in _FIRSTS else Mark.LAST if value in _LASTS else None


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One column of an order, as SQL."""

    expression: ColumnElement[Any]
    type: TypeEngine[Any]
    descending: bool
    nullable: bool

    def turned(self) -> OrderKey:
        """The same the other way round."""
        return OrderKey(self.expression, self.type, not self.descending, self.nullable)


def order_by(keys: Sequence[OrderKey]) -> list[ColumnElement[Any]]:
    """The ORDER BY of the keys."""
    return [_ordered(key) for key in keys]


def _ordered(key: OrderKey) -> ColumnElement[Any]:
    turned = key.expression.desc() if key.descending else key.expression.asc()
    if not key.nullable:
        return turned
    return turned.nulls_first() if key.descending else turned.nulls_last()


def value_name(place: int) -> str:
    """The bind of the value of the key at `place`."""
    return f"q_k{place}"


def after(keys: Sequence[OrderKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a row comes after a place. The last key is the row's own. values: read for their marks alone.

    One row comparison where all keys run the same way and none may be NULL: an index on them serves it whole.
    """
    marks = marks_of(values)
    nulls = [mark is Mark.NULL for mark in marks]
    binds = _binds(keys, values, marks)
    if len(keys) > 1 and not any(key.nullable for key in keys) and len({key.descending for key in keys}) == 1:
        left, right = tuple_(*(key.expression for key in keys)), tuple_(*binds)
        return left < right if keys[0].descending else left > right
    steps = [
        and_(
            *(_same(keys[i], binds[i], is_null=nulls[i]) for i in range(place)),
            _past(key, binds[place], is_null=nulls[place]),
        )
        for place, key in enumerate(keys)
    ]
    whole = or_(*steps)
    first = keys[0]
    if len(keys) == 1 or first.nullable:
        return whole
    # Implied by the rest, and what an index on the first column can begin with.
    return and_(first.expression <= binds[0] if first.descending else first.expression >= binds[0], whole)


def _binds(keys: Sequence[OrderKey], values: Sequence[Any], marks: Sequence[Mark | None]) -> list[ColumnElement[Any]]:
    found: list[ColumnElement[Any]] = [bindparam(value_name(place), type_=key.type) for place, key in enumerate(keys)]
    is_row = keys[-1].expression == found[-1]
    for place, mark in enumerate(marks):
        if mark in (Mark.FIRST, Mark.LAST):
            found[place] = _exact(keys[place], values[place], mark, is_row, found[place])
    return found


def _exact(
    key: OrderKey, value: date, mark: Mark, is_row: ColumnElement[bool], bind: ColumnElement[Any]
) -> ColumnElement[Any]:
    """What the database has in the row beside the place, while that stands at this end of time; else the bind.

    PostgreSQL has `-infinity` before the first instant of Python's calendar and `infinity` behind the last, and its driver
    takes both for the same: by the bind alone, rows would come again on every page, or never.
    """
    inside = value + timedelta(days=1 if mark is Mark.FIRST else -1)
    limit: ColumnElement[Any] = bindparam(None, inside, type_=key.type)
    is_end = key.expression < limit if mark is Mark.FIRST else key.expression > limit
    found = select(key.expression).where(is_row, is_end).correlate(None).scalar_subquery()
    return func.coalesce(found, bind, type_=key.type)


def _same(key: OrderKey, bind: ColumnElement[Any], *, is_null: bool) -> ColumnElement[bool]:
    return key.expression.is_(None) if is_null else key.expression == bind


def _past(key: OrderKey, bind: ColumnElement[Any], *, is_null: bool) -> ColumnElement[bool]:
    if is_null:
        return key.expression.is_not(None) if key.descending else false()
    if key.descending:
        return key.expression < bind
    beyond = key.expression > bind
    return or_(beyond, key.expression.is_(None)) if key.nullable else beyond

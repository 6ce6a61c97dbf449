"""Keyset order: which rows come after a place, whatever the directions and wherever NULL stands.

NULL counts as larger than every value on both databases: last when ascending, first when descending. That is the
order of a plain PostgreSQL index, and SQLite can read one so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, tuple_
from sqlalchemy.types import TypeEngine


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


def after(keys: Sequence[OrderKey], nulls: Sequence[bool]) -> ColumnElement[bool]:
    """The condition that a row comes after a place. nulls: which of the place's values are NULL.

    One row comparison where all keys run the same way and none may be NULL: an index on them serves it whole.
    """
    binds = [bindparam(value_name(place), type_=key.type) for place, key in enumerate(keys)]
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


def _same(key: OrderKey, bind: ColumnElement[Any], *, is_null: bool) -> ColumnElement[bool]:
    return key.expression.is_(None) if is_null else key.expression == bind


def _past(key: OrderKey, bind: ColumnElement[Any], *, is_null: bool) -> ColumnElement[bool]:
    if is_null:
        return key.expression.is_not(None) if key.descending else false()
    if key.descending:
        return key.expression < bind
    beyond = key.expression > bind
    return or_(beyond, key.expression.is_(None)) if key.nullable else beyond

"""What a column is to a query: its kind, what may be asked of it, and how text becomes a value of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column
from sqlalchemy.types import TypeEngine

from freehold.resource.base import UTCDateTime
from freehold.resource.inputs import stored_type


class Kind(StrEnum):
    """The kinds of scalar that a query understands. Others (JSON, binary) can be read and not asked for."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    UUID = "uuid"
    DATE = "date"
    INSTANT = "instant"
    NAIVE_INSTANT = "naive_instant"
    CHOICE = "choice"


OPERATIONS: Final = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "isnull")
COMPARISONS: Final = frozenset({"lt", "lte", "gt", "gte"})
_WIDEST: Final[Mapping[Kind, TypeEngine[Any]]] = {
    Kind.INTEGER: sa.BigInteger(),
    Kind.DECIMAL: sa.Numeric(),  # PostgreSQL would round to the column's scale, and overflow its precision
    Kind.FLOAT: sa.Double(),
}
_ORDERED: Final = frozenset(
    {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.DATE, Kind.INSTANT, Kind.NAIVE_INSTANT, Kind.UUID}
)


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpec:
    """One scalar column that a list may be asked about.

    name: on the wire. column: where the value is. key: the folded column of a text, for order and `contains`.
    choices: wire text -> value, for an enumeration.
    """

    name: str
    kind: Kind
    column: Column[Any]
    key: Column[Any] | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nullable(self) -> bool:
        """Whether there may be no value."""
        return bool(self.column.nullable)

    @property
    def is_ordered(self) -> bool:
        """Whether smaller and larger mean the same on every database: text only by its folded key."""
        return self.kind in _ORDERED or (self.kind is Kind.TEXT and self.key is not None)

    @property
    def order_column(self) -> Column[Any]:
        """The column that decides the order."""
        return self.column if self.key is None else self.key

    @property
    def operations(self) -> tuple[str, ...]:
        """What may be asked, in the order of `OPERATIONS`."""
        allowed = {"eq", "ne"}
        if self.kind is not Kind.BOOLEAN:
            allowed.add("in")
        if self.is_ordered:
            allowed |= COMPARISONS
        if self.kind is Kind.TEXT and self.key is not None:
            allowed.add("contains")
        if self.nullable:
            allowed.add("isnull")
        return tuple(each for each in OPERATIONS if each in allowed)

    @property
    def bind_type(self) -> TypeEngine[Any]:
        """The type a value travels as: the widest of its kind, so that no value is out of range for a narrow column."""
        return _WIDEST.get(self.kind, self.column.type)

    @property
    def is_indexed(self) -> bool:
        """Whether an index starts with the column that decides the order."""
        return is_indexed(self.order_column)


def is_indexed(column: Column[Any]) -> bool:
    """Whether an index, a unique constraint or the primary key starts with `column`."""
    table = column.table
    starts = [next(iter(index.columns), None) for index in table.indexes]
    starts += [next(iter(each.columns), None) for each in table.constraints if isinstance(each, sa.UniqueConstraint)]
    starts.append(next(iter(table.primary_key.columns), None))
    return bool(column.index) or bool(column.unique) or any(column is start for start in starts)


def describe(name: str, column: Column[Any], key: Column[Any] | None = None) -> FieldSpec | None:
    """The field of a column; None where its type cannot be asked for. key: its folded column."""
    found = kind_of(column.type)
    if found is None:
        return None
    choices = _choices(stored_type(column.type)) if found is Kind.CHOICE else {}
    return FieldSpec(name, found, column, key if found is Kind.TEXT else None, choices)


def kind_of(type_: TypeEngine[Any]) -> Kind | None:
    """The kind of a column type, looking through decorators; None for one that queries do not understand."""
    type_ = stored_type(type_)
    if isinstance(type_, UTCDateTime):
        return Kind.INSTANT
    if isinstance(type_, sa.DateTime):
        return Kind.INSTANT if type_.timezone else Kind.NAIVE_INSTANT
    for kind, candidates in _BY_TYPE:
        if isinstance(type_, candidates):
            return Kind.FLOAT if kind is Kind.DECIMAL and not type_.asdecimal else kind  # type: ignore[attr-defined]
    return None


# Enum is a String, Float a Numeric: the narrower type first.
_BY_TYPE: Final[tuple[tuple[Kind, tuple[type[TypeEngine[Any]], ...]], ...]] = (
    (Kind.CHOICE, (sa.Enum,)),
    (Kind.BOOLEAN, (sa.Boolean,)),
    (Kind.INTEGER, (sa.Integer,)),
    (Kind.FLOAT, (sa.Float,)),
    (Kind.DECIMAL, (sa.Numeric,)),
    (Kind.UUID, (sa.Uuid,)),
    (Kind.DATE, (sa.Date,)),
    (Kind.TEXT, (sa.String,)),
)


def _choices(type_: TypeEngine[Any]) -> dict[str, Any]:
    assert isinstance(type_, sa.Enum)
    if type_.enum_class is None:
        return {text: text for text in type_.enums}
    members: type[enum.Enum] = type_.enum_class
    return {str(member.value): member for member in members}

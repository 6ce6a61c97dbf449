"""Rows for tests, from the columns of the model: plausible, different each time, and never random."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Column, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from freehold.resource import clock
from freehold.resource.base import UTCDateTime
from freehold.resource.inputs import stored_type
from freehold.resource.principal import system
from freehold.store.database import Database

Row = TypeVar("Row", bound=DeclarativeBase)
_numbers = count(1)


def build(model: type[Row], **values: Any) -> Row:
    """An object of `model` that is not saved, with a value for every column that needs one.

    Foreign keys stay empty: `Factory` makes the rows they point to.
    """
    number = next(_numbers)
    for name, column in _needed(model, values):
        if not column.foreign_keys:
            values[name] = value(column, number)
    return model(**values)


class Factory:
    """Saves rows past every access rule, each in a unit of its own: `await make(Book, title="Dune")`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, model: type[Row], **values: Any) -> Row:
        """A saved row. A required foreign key that is not given gets a new row of its own."""
        for name, column in _needed(model, values):
            if column.foreign_keys:
                values[name] = await self._parent(model, column)
        row = build(model, **values)
        async with self._database.writing(system("test factory")) as unit:
            unit.session.add(row)
            await unit.session.flush()
            await unit.session.refresh(row)
        return row

    async def _parent(self, model: type[DeclarativeBase], column: Column[Any]) -> Any:
        target = next(iter(column.foreign_keys)).column
        for mapper in inspect(model).registry.mappers:
            if mapper.local_table is target.table:
                parent = await self(mapper.class_)
                return getattr(parent, mapper.get_property_by_column(target).key)
        raise LookupError(f"{model.__name__}.{column.name} points to {target.table.name}, which has no model: give it")


def value(column: Column[Any], number: int) -> Any:
    """The `number`th value for a column, within its type and length."""
    kind = stored_type(column.type)
    if isinstance(kind, sa.Enum):
        return next(iter(kind.enum_class)) if kind.enum_class else kind.enums[0]
    if isinstance(kind, sa.String):
        return _text(column.name, kind.length, number)
    for known, make in _VALUES:
        if isinstance(kind, known):
            return make(number)
    raise LookupError(f"no value is known for {column.table.name}.{column.name} ({kind!r}): give it")


def _text(name: str, length: int | None, number: int) -> str:
    if "email" in name:
        return f"person{number}@example.org"
    whole = f"{name.replace('_', ' ')} {number}"
    return whole if length is None or len(whole) <= length else str(number)[-length:].rjust(min(length, 2), "A")


def _needed(model: type[DeclarativeBase], given: dict[str, Any]) -> list[tuple[str, Column[Any]]]:
    mapper: Mapper[Any] = inspect(model)
    linked = {c.name for r in mapper.relationships if r.key in given for c in r.local_columns}
    found = []
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if not isinstance(column, Column) or attribute.key in given or column.name in linked or column.nullable:
            continue
        filled = column.default is not None or column.server_default is not None or column.computed is not None
        if not filled and column is not column.table.autoincrement_column and column is not mapper.version_id_col:
            found.append((attribute.key, column))
    return found


_VALUES: tuple[tuple[type[sa.types.TypeEngine[Any]], Callable[[int], Any]], ...] = (
    (UTCDateTime, lambda number: clock.now() + timedelta(minutes=number)),
    (sa.DateTime, lambda number: (clock.now() + timedelta(minutes=number)).replace(tzinfo=None)),
    (sa.Date, lambda number: clock.now().date() + timedelta(days=number)),
    (sa.Time, lambda _: clock.now().time()),
    (sa.Interval, lambda number: timedelta(minutes=number)),
    (sa.Boolean, lambda _: False),
    (sa.Integer, lambda number: number),
    (sa.Float, float),
    (sa.Numeric, Decimal),
    (sa.Uuid, lambda number: UUID(int=number)),
    (sa.JSON, lambda _: {}),
    (sa.LargeBinary, lambda number: str(number).encode()),
)

"""The row version in an UPDATE of many rows: SQLAlchemy counts it where an object is flushed, and nowhere else.

Whoever holds an ETag or an object from before would go by it still, and overwrite what the statement has set.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table, Update
from sqlalchemy.orm import Mapper

from freehold.resource.base import IS_ROW_VERSION


def counted(statement: Any, mapper: Mapper[Any] | None) -> Any:
    """The statement with one more in the row version, unless it says itself what becomes of it. mapper: None for a table's."""
    version = _of_table(statement) if mapper is None else _of_model(statement, mapper)
    said = {getattr(each, "key", each) for each in statement._values or ()}  # noqa: SLF001 (nothing else tells)
    if version is None or not said.isdisjoint({version.key, version.expression.key}):
        return statement
    return _with_last(statement, {version: version + 1})


def uncounted(statement: Update) -> Any:
    """The statement with the row version as it is: for what no client reads."""
    version = _of_table(statement)
    return statement if version is None else _with_last(statement, {version: version})


def _with_last(statement: Any, values: dict[Any, Any]) -> Any:
    """The statement with more values: behind those whose order it keeps, where `values` would refuse them."""
    keeps_order = statement._maintain_values_ordering  # noqa: SLF001 (here and below: there is no other way to add to them)
    found = statement._generate()  # noqa: SLF001
    found._maintain_values_ordering = False  # noqa: SLF001
    found = found.values(values)
    found._maintain_values_ordering = keeps_order  # noqa: SLF001
    return found


def _of_table(statement: Update) -> Any:
    columns = statement.table.c if isinstance(statement.table, Table) else ()
    return next((each for each in columns if IS_ROW_VERSION in each.info), None)


def _of_model(statement: Update, mapper: Mapper[Any]) -> Any:
    """As an attribute: objects that are loaded are told, too."""
    version = mapper.version_id_col
    if not isinstance(version, Column) or not callable(mapper.version_id_generator):
        return None
    is_there = version.table.name == getattr(statement.table, "name", None)
    return mapper.get_property_by_column(version).class_attribute if is_there else None

"""Names, columns and conditions of a rule as SQL text for one dialect: literals only, nothing bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Table, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from freehold.errors import ConfigurationError

# Not the engine's own dialect: the text, and so its hash, must be the same in a migration, a check and a start.
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": asyncpg.dialect(),  # type: ignore[no-untyped-call]
}


class SqlText:
    """Writes parts of statements about one table in one dialect."""

    def __init__(self, table: Table, dialect_name: str) -> None:
        self.table = table
        self.dialect_name = dialect_name
        self._dialect = DIALECTS[dialect_name]
        self._quote = self._dialect.identifier_preparer.quote
        self.own = self.of(table)
        self.key = tuple(column.name for column in table.primary_key.columns)

    def of(self, table: Table) -> str:
        """A table's name, with its schema when it has one."""
        return self._dialect.identifier_preparer.format_table(table)

    def column(self, name: str, row: str = "") -> str:
        """A column: bare, or of `NEW` or `OLD`."""
        return f"{row}.{self._quote(name)}" if row else self._quote(name)

    def literal(self, name: str) -> str:
        """A name as a string literal."""
        return "'" + name.replace("'", "''") + "'"

    def condition(self, when: ColumnElement[bool] | None, row: str = "") -> str | None:
        """A condition over the table's columns, bare (for an index) or over `NEW` or `OLD` (for a trigger)."""
        if when is None:
            return None

        def swap(element: Any, **_: Any) -> ColumnElement[Any] | None:
            return literal_column(self.column(element.name, row), element.type) if isinstance(element, Column) else None

        replaced = replacement_traverse(expression(when), {}, swap)
        return str(replaced.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True}))

    def same(self, names: Sequence[str], row: str) -> list[str]:
        """`column = ROW.column` for each."""
        return [f"{self.column(name)} = {self.column(name, row)}" for name in names]

    def another(self, row: str) -> str:
        """That a row is not the one that `row` (NEW or OLD) stands for; a key that is not known yet is no other's."""
        differ = "IS NOT" if self.dialect_name == "sqlite" else "IS DISTINCT FROM"
        parts = [f"{self.column(name)} {differ} {self.column(name, row)}" for name in self.key]
        return "(" + " OR ".join(parts) + ")"

    def list(self, names: Sequence[str]) -> str:
        """Columns, comma-separated."""
        return ", ".join(self.column(name) for name in names)


def expression(when: Any) -> ColumnElement[bool]:
    """The Core expression behind an attribute of a model or an expression."""
    core: ColumnElement[bool] = when.__clause_element__() if hasattr(when, "__clause_element__") else when
    return core


def columns_of(when: Any, table: Table, rule: str) -> tuple[str, ...]:
    """The columns that a condition names, sorted. Raises ConfigurationError when it looks at another table."""
    if when is None:
        return ()
    names = set()
    for element in iterate(expression(when)):
        if isinstance(element, Column):
            if getattr(element.table, "name", None) != table.name:
                raise ConfigurationError(f"{rule}: `when` may name columns of {table.name!r} only, not {element!s}")
            names.add(element.name)
        elif element.__visit_name__ in ("select", "scalar_select", "exists"):
            raise ConfigurationError(f"{rule}: `when` may not hold a subquery; copy what it looks at into a column")
    return tuple(sorted(names))

"""Declared invariants become walls in the schema; a row that breaks one is refused by the database itself.

`register` hangs the walls on a table, `before_flush` orders the locks of a flush that touches several keys,
`breach` tells from a driver's error which rule was broken, `missing` compares the declarations with the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, MetaData, Table, event
from sqlalchemy.exc import NoReferencedTableError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from freehold.errors import ConfigurationError
from freehold.resource.invariants import AtMost, Invariant, NoOverlap, UniqueWhile, fingerprint
from freehold.store.invariant_parent import parent_of
from freehold.store.invariant_postgresql import PostgresWalls
from freehold.store.invariant_sql import DIALECTS, SqlText, columns_of
from freehold.store.invariant_sqlite import SQLiteWalls
from freehold.store.invariant_walls import FORMAT, Bound, Wall

_INFO = "fh_invariants"


class Statement(ExecutableDDLElement):
    """A finished statement of schema text: nothing in it is bound, escaped or narrowed by a rule."""

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(Statement)
def _compile(element: Statement, compiler: object, **_: object) -> str:
    return element.text


class Registry:
    """The invariants of the tables of some metadata, as they are registered now or later."""

    def __init__(self, *metadata: MetaData) -> None:
        self.metadata = metadata

    def bounds(self) -> list[Bound]:
        """Every invariant, by name."""
        tables = (table for metadata in self.metadata for table in metadata.tables.values())
        return sorted((bound for table in tables for bound in bounds_of(table)), key=lambda bound: bound.name)

    def find(self, constraint: str) -> Bound | None:
        """The rule behind a name that the database gave. None when it is not one of ours."""
        for bound in self.bounds():
            if constraint == bound.name or constraint.removeprefix(bound.name) in _SUFFIXES.get(
                type(bound.invariant), ()
            ):
                return bound
        return None


_SUFFIXES: dict[type[Invariant], tuple[str, ...]] = {
    NoOverlap: ("_order",),
    UniqueWhile: tuple(f"_null{number}" for number in range(1, 8)),
}


def bounds_of(table: Table) -> list[Bound]:
    """The invariants of one table."""
    found: list[Bound] = table.info.get(_INFO, [])
    return found


def register(table: Table, invariants: Iterable[Invariant]) -> None:
    """Hang invariants on a table: created and dropped with it from now on, found in it by everything else here.

    Registering one twice changes nothing. Raises ConfigurationError for a column that is not there, or for two
    rules under one name.
    """
    for invariant in invariants:
        bound = Bound(invariant, table, invariant.name_for(table.name))
        _verify(bound)
        known = next((other for other in bounds_of(table) if other.name == bound.name), None)
        if known is None:
            table.info.setdefault(_INFO, []).append(bound)
            _hang(bound)
        elif declared(known, "sqlite") != declared(bound, "sqlite"):
            raise ConfigurationError(f"{table.name!r} declares two rules named {bound.name!r}: give one a name=")


def _verify(bound: Bound) -> None:
    table, rule = bound.table, bound.invariant
    for column in (*rule.columns(), *rule.reveals):
        if column not in table.c:
            raise ConfigurationError(f"{bound.name}: {table.name!r} has no column {column!r}")
    columns_of(rule.when, table, bound.name)
    if not table.primary_key.columns:
        raise ConfigurationError(f"{bound.name}: {table.name!r} has no primary key")
    if isinstance(rule, AtMost) and isinstance(rule.limit, int) and rule.limit < 1:
        raise ConfigurationError(f"{bound.name}: a limit of {rule.limit} allows nothing")
    try:
        # Both, so that what runs on a laptop is known to run in production.
        for dialect_name in DIALECTS:
            walls(bound, dialect_name)
    except NoReferencedTableError:
        return  # the parent is declared later; its walls are built with the table


def _hang(bound: Bound) -> None:
    def created(table: Table, connection: Connection, **_: object) -> None:
        for wall in walls(bound, connection.dialect.name):
            if wall.kind != "touch":  # the table is empty
                build(connection, wall)

    def dropped(table: Table, connection: Connection, **_: object) -> None:
        for wall in reversed(walls(bound, connection.dialect.name)):
            for statement in wall.drop:
                connection.execute(Statement(statement))

    event.listen(bound.table, "after_create", created)
    event.listen(bound.table, "before_drop", dropped)


def build(connection: Connection, wall: Wall) -> None:
    """Create one wall. The database refuses it when the rows that are there break the rule."""
    for statement in wall.create:
        connection.execute(Statement(statement))


def walls(bound: Bound, dialect_name: str) -> list[Wall]:
    """What keeps a rule on a database, in the order of creation; dropped in reverse."""
    kind = SQLiteWalls if dialect_name == "sqlite" else PostgresWalls
    return kind(bound, declared(bound, dialect_name)).build()


def declared(bound: Bound, dialect_name: str) -> str:
    """The fingerprint of what was declared: it changes with the meaning of the rule, not with its SQL."""
    rule = bound.invariant
    parent = parent_of(bound)
    parts: Sequence[object] = (
        FORMAT,
        rule.kind,
        bound.table.name,
        rule.columns(),
        getattr(rule, "nulls_equal", None),
        getattr(rule, "limit", None),
        getattr(rule, "floor", None),
        (parent.table.name, parent.key) if parent else None,
        SqlText(bound.table, dialect_name).condition(rule.when),
        tuple(bound.table.c[name].nullable for name in rule.columns()),
    )
    return fingerprint(parts)

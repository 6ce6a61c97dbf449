"""The second wall on SQLite: temporary triggers on the writing connection, from the access rules.

They judge each row that is written, whatever wrote it: driver SQL, a foreign table object, a view. A refused row ends the
statement. They belong to the connection, so that other programs and migrations never meet them; reading has no such wall
here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import Table, event
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.store.caller import register_caller
from freehold.store.invariant_sql import SqlText
from freehold.store.protection import Protection, Registry
from freehold.store.rule_text import IS_SYSTEM, RuleText, VerbText, quoted

REFUSAL: Final = "row-level security: the access rules do not let this caller write this row"


class SqliteWall:
    """The triggers of an engine's connections: of those to come, once `arm` was called."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._script = ""
        event.listen(engine.sync_engine, "connect", self._connected)

    def arm(self, registry: Registry, there: Collection[str]) -> None:
        """Build triggers for the protected tables among those that are there."""
        found = [each for each in registry.tables.values() if each.table.name in there]
        self._script = ";\n".join(text for each in found for text in triggers(each))

    def _connected(self, connection: Any, record: Any) -> None:
        register_caller(connection, record.info)
        if self._script:
            connection.run_async(lambda driver: driver.executescript(self._script))


def triggers(protection: Protection) -> Iterator[str]:
    """The statements that make the triggers of one table."""
    rules = VerbText(protection, RuleText(protection.model, "sqlite"))
    readable = f"({rules.old('read')})"
    judged = {
        "insert": [("NEW", rules.new("create"))],
        "update": [("OLD", f"{readable} AND ({rules.old('update')})"), ("NEW", rules.new("update"))],
        "delete": [("OLD", f"{readable} AND ({rules.old('delete')})")],
    }
    sql = SqlText(protection.table, "sqlite")
    for verb, rows in judged.items():
        name = sql.column(f"fh_wall_{protection.table.name}_{verb}")
        refused = " OR ".join(f"NOT {_holds(sql, row, condition)}" for row, condition in rows)
        follows = "".join(f" AND NOT ({each})" for each in _orphaned(protection.table)) if verb != "insert" else ""
        yield (
            f"CREATE TEMP TRIGGER {name} BEFORE {verb.upper()} ON main.{sql.own} FOR EACH ROW WHEN NOT ({IS_SYSTEM})"
            f"{follows} BEGIN SELECT RAISE(ABORT, {quoted(REFUSAL)}) WHERE {refused}; END"
        )


def _holds(sql: SqlText, row: str, condition: str) -> str:
    """The condition names columns by the table's own name: so the row stands in as a table of that name."""
    columns = ", ".join(f"{sql.column(each.name, row)} AS {sql.column(each.name)}" for each in sql.table.columns)
    return f"EXISTS (SELECT 1 FROM (SELECT {columns}) AS {sql.own} WHERE {condition})"


def _orphaned(table: Table) -> Iterator[str]:
    """That the row's parent is gone: the database itself follows with the row, under nobody's rule."""
    for key in table.foreign_keys:
        if (key.ondelete or "").upper() in ("CASCADE", "SET NULL", "SET DEFAULT"):
            held = SqlText(table, "sqlite").column(key.parent.name, "OLD")
            parent = SqlText(key.column.table, "sqlite")
            yield (
                f"{held} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.{parent.own} AS fh_parent"
                f" WHERE fh_parent.{parent.column(key.column.name)} = {held})"
            )

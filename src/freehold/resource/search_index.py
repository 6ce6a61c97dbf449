"""The full-text index behind a search column, as DDL for both databases.

Both index the stored terms as they are: see `search_text`. On PostgreSQL that is a GIN index over the tsvector. On
SQLite it is an FTS5 table kept by triggers, without a second copy of the terms, with one column for the first source
and one for the others, and a table between that gives each row a number of its own: the rowid of a table whose key is
not an integer changes under VACUUM.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, Column, Table, event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect


def fts_table(table_name: str) -> str:
    """The FTS5 table of a searched table."""
    return f"{table_name}_fts"


def fts_rows_table(table_name: str) -> str:
    """The table that numbers the rows of a searched table for FTS5."""
    return f"{table_name}_fts_rows"


class SearchIndex:
    """One full-text index. In `table.info["fh_ddl"]`, for migrations; `create_all` and `drop_all` run it by themselves.

    name: also that of the PostgreSQL index.
    """

    def __init__(self, table: Table, column: Column[Any]) -> None:
        self.table = table
        self.column = column
        self.name = f"ix_{table.name}_{column.name}_terms"

    def triggers(self, dialect_name: str) -> tuple[str, ...]:
        """Names of the triggers that keep the index."""
        if dialect_name != "sqlite":
            return ()
        return tuple(f"{self.table.name}_fts_{verb}" for verb in ("insert", "update", "delete"))

    def create(self, dialect_name: str) -> list[str]:
        """Statements that make the index over the rows that are there. A database of another kind gets none."""
        if dialect_name == "postgresql":
            q = _quoter(dialect_name)
            # Without fast updates: a reader would go through all that is pending.
            gin = f"USING gin ({q(self.column.name)}) WITH (fastupdate = off)"
            return [f"CREATE INDEX {q(self.name)} ON {q(self.table.name)} {gin}"]
        return self._create_sqlite() if dialect_name == "sqlite" else []

    def drop(self, dialect_name: str) -> list[str]:
        """Statements that remove the index, also when parts are gone (a table takes its triggers along)."""
        q = _quoter(dialect_name)
        if dialect_name == "postgresql":
            return [f"DROP INDEX IF EXISTS {q(self.name)}"]
        if dialect_name != "sqlite":
            return []
        tables = (fts_table(self.table.name), fts_rows_table(self.table.name))
        return [
            *(f"DROP TRIGGER IF EXISTS {q(name)}" for name in self.triggers(dialect_name)),
            *(f"DROP TABLE IF EXISTS {q(name)}" for name in tables),
        ]

    def attach(self) -> None:
        """Register with the table: its info for migrations, its events for `create_all` and `drop_all`."""
        self.table.info.setdefault("fh_ddl", []).append(self)
        event.listen(self.table, "after_create", self._run_create)
        event.listen(self.table, "before_drop", self._run_drop)

    def _run_create(self, target: Table, connection: Any, **_: Any) -> None:
        for statement in self.create(connection.dialect.name):
            _run(connection, statement)

    def _run_drop(self, target: Table, connection: Any, **_: Any) -> None:
        for statement in self.drop(connection.dialect.name):
            _run(connection, statement)

    def _create_sqlite(self) -> list[str]:
        q = _quoter("sqlite")
        key = next(iter(self.table.primary_key.columns))
        table, id_, document = q(self.table.name), q(key.name), q(self.column.name)
        fts, rows = q(fts_table(self.table.name)), q(fts_rows_table(self.table.name))
        kind = key.type.compile(dialect=_dialect("sqlite"))
        number = f"SELECT n FROM {rows} WHERE id ="  # noqa: S608 (names from the model, quoted)
        add = f"INSERT INTO {fts} (rowid, lead, rest) SELECT n, {_parts(f'new.{document}')}"
        # FTS5 keeps no copy of the terms, and asks for the old ones to take them out.
        remove = (
            f"INSERT INTO {fts} ({fts}, rowid, lead, rest) "  # noqa: S608
            f"SELECT 'delete', n, {_parts(f'old.{document}')} FROM {rows} WHERE id = old.{id_};"
        )
        on_insert = f"INSERT INTO {rows} (id) VALUES (new.{id_}); {add} FROM {rows} WHERE id = new.{id_};"  # noqa: S608
        on_update = (
            f"{remove} UPDATE {rows} SET id = new.{id_} WHERE id = old.{id_}; "  # noqa: S608
            f"{add} FROM {rows} WHERE n = ({number} new.{id_});"
        )
        on_delete = f"{remove} DELETE FROM {rows} WHERE id = old.{id_};"  # noqa: S608
        changed = f"old.{id_} IS NOT new.{id_} OR old.{document} IS NOT new.{document}"
        inserted, updated, deleted = (f"CREATE TRIGGER {q(name)} AFTER" for name in self.triggers("sqlite"))
        return [
            f"CREATE TABLE {rows} (n INTEGER PRIMARY KEY, id {kind} NOT NULL UNIQUE)",
            # ascii: every character past ASCII belongs to a term, and our terms hold no other than letters and digits.
            f"CREATE VIRTUAL TABLE {fts} USING fts5(lead, rest, content = '', tokenize = 'ascii', columnsize = 0)",
            f"INSERT INTO {rows} (id) SELECT {id_} FROM {table}",  # noqa: S608
            f"INSERT INTO {fts} (rowid, lead, rest) "  # noqa: ISC004, S608
            f"SELECT r.n, {_parts(f't.{document}')} FROM {rows} AS r JOIN {table} AS t ON t.{id_} = r.id",
            f"{inserted} INSERT ON {table} BEGIN {on_insert} END",
            f"{updated} UPDATE OF {id_}, {document} ON {table} WHEN {changed} BEGIN {on_update} END",
            f"{deleted} DELETE ON {table} BEGIN {on_delete} END",
        ]


def _parts(document: str) -> str:
    """The two columns of a document: what stands before and behind its line feed."""
    at = f"instr({document} || char(10), char(10))"
    return f"substr({document}, 1, {at} - 1), substr({document}, {at} + 1)"


def _run(connection: Any, statement: str) -> None:
    connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]


def _dialect(name: str) -> Dialect:
    made: Dialect = registry.load(name)()
    return made


def _quoter(dialect_name: str) -> Any:
    return _dialect(dialect_name).identifier_preparer.quote


def search_ddl(table: Table, dialect_name: str) -> list[tuple[list[str], list[str]]]:
    """Pairs of statements that create and drop each full-text index of a table."""
    return [
        (each.create(dialect_name), each.drop(dialect_name))
        for each in table.info.get("fh_ddl", ())
        if isinstance(each, SearchIndex)
    ]

"""An index over the text of a column, as DDL for both databases.

On SQLite it is an FTS5 table kept by triggers, without a second copy of the text, and a table between that gives each
row a number of its own: the rowid of a table whose key is not an integer changes under VACUUM.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import DDL, Column, Table, event
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect


def rows_table(fts: str) -> str:
    """The table that numbers the rows for an FTS5 table."""
    return f"{fts}_rows"


class TextIndex:
    """One index. In `table.info["fh_ddl"]`, for migrations; `create_all` and `drop_all` run it by themselves.

    name: also that of the PostgreSQL index. fts: the FTS5 table. A kind says its columns, how they are made of a value
    (SQL, with commas between), and the options of FTS5.
    """

    columns: ClassVar[tuple[str, ...]]
    options: ClassVar[str]

    def __init__(self, table: Table, column: Column[Any], *, name: str, fts: str) -> None:
        self.table = table
        self.column = column
        self.name = name
        self.fts = fts

    def parts(self, value: str) -> str:
        """The columns of the FTS5 table, as SQL over a value of the column."""
        raise NotImplementedError

    def create_postgresql(self) -> list[str]:
        """Statements that make the index on PostgreSQL."""
        raise NotImplementedError

    def triggers(self, dialect_name: str) -> tuple[str, ...]:
        """Names of the triggers that keep the index."""
        if dialect_name != "sqlite":
            return ()
        return tuple(f"{self.fts}_{verb}" for verb in ("insert", "update", "delete"))

    def create(self, dialect_name: str) -> list[str]:
        """Statements that make the index over the rows that are there. A database of another kind gets none."""
        if dialect_name == "postgresql":
            return self.create_postgresql()
        return self._create_sqlite() if dialect_name == "sqlite" else []

    def drop(self, dialect_name: str) -> list[str]:
        """Statements that remove the index, also when parts are gone (a table takes its triggers along)."""
        q = quoter(dialect_name)
        if dialect_name == "postgresql":
            return [f"DROP INDEX IF EXISTS {q(self.name)}"]
        if dialect_name != "sqlite":
            return []
        return [
            *(f"DROP TRIGGER IF EXISTS {q(name)}" for name in self.triggers(dialect_name)),
            *(f"DROP TABLE IF EXISTS {q(name)}" for name in (self.fts, rows_table(self.fts))),
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
        q = quoter("sqlite")
        key = next(iter(self.table.primary_key.columns))
        table, id_, value = q(self.table.name), q(key.name), q(self.column.name)
        fts, rows = q(self.fts), q(rows_table(self.fts))
        kind = key.type.compile(dialect=_dialect("sqlite"))
        columns = ", ".join(self.columns)
        number = f"SELECT n FROM {rows} WHERE id ="  # noqa: S608 (names from the model, quoted)
        add = f"INSERT INTO {fts} (rowid, {columns}) SELECT n, {self.parts(f'new.{value}')}"
        # FTS5 keeps no copy of the text, and asks for the old one to take it out.
        remove = (
            f"INSERT INTO {fts} ({fts}, rowid, {columns}) "  # noqa: S608
            f"SELECT 'delete', n, {self.parts(f'old.{value}')} FROM {rows} WHERE id = old.{id_};"
        )
        on_insert = f"INSERT INTO {rows} (id) VALUES (new.{id_}); {add} FROM {rows} WHERE id = new.{id_};"  # noqa: S608
        on_update = (
            f"{remove} UPDATE {rows} SET id = new.{id_} WHERE id = old.{id_}; "  # noqa: S608
            f"{add} FROM {rows} WHERE n = ({number} new.{id_});"
        )
        on_delete = f"{remove} DELETE FROM {rows} WHERE id = old.{id_};"  # noqa: S608
        changed = f"old.{id_} IS NOT new.{id_} OR old.{value} IS NOT new.{value}"
        inserted, updated, deleted = (f"CREATE TRIGGER {q(name)} AFTER" for name in self.triggers("sqlite"))
        return [
            f"CREATE TABLE {rows} (n INTEGER PRIMARY KEY, id {kind} NOT NULL UNIQUE)",
            f"CREATE VIRTUAL TABLE {fts} USING fts5({columns}, content = '', {self.options}, columnsize = 0)",
            f"INSERT INTO {rows} (id) SELECT {id_} FROM {table}",  # noqa: S608
            f"INSERT INTO {fts} (rowid, {columns}) "  # noqa: ISC004, S608
            f"SELECT r.n, {self.parts(f't.{value}')} FROM {rows} AS r JOIN {table} AS t ON t.{id_} = r.id",
            f"{inserted} INSERT ON {table} BEGIN {on_insert} END",
            f"{updated} UPDATE OF {id_}, {value} ON {table} WHEN {changed} BEGIN {on_update} END",
            f"{deleted} DELETE ON {table} BEGIN {on_delete} END",
        ]


def _run(connection: Any, statement: str) -> None:
    connection.execute(DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]


def _dialect(name: str) -> Dialect:
    made: Dialect = registry.load(name)()
    return made


def quoter(dialect_name: str) -> Any:
    """What quotes a name for a database, where it has to be."""
    return _dialect(dialect_name).identifier_preparer.quote

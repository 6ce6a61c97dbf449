"""Batch operations on SQLite copy the table, and what hangs on it must come along.

A copy loses triggers, and indexes over expressions; ours carry a seal in their text, which a reflected copy would
lose too. So they are taken down before the copy and put back after it, word for word.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations.batch import ApplyBatchImpl
from sqlalchemy import Column, Index, Table, text

from freehold.store.invariants import Statement

_EMPTY = frozenset({"", "''", "('')"})
# Triggers of other tables that look at this one would make the rename fail.
_HANGING = text(
    """
SELECT type, name, sql FROM sqlite_master
 WHERE (type = 'trigger' AND (tbl_name = :table OR instr(lower(sql), lower(:table)) > 0))
    OR (type = 'index' AND tbl_name = :table AND sql IS NOT NULL
        AND (substr(name, 1, 3) = 'fh_' OR EXISTS (SELECT 1 FROM pragma_index_xinfo(name) WHERE cid = -2)))
"""
)


class CarryingImpl(SQLiteImpl):
    """Alembic's implementation for SQLite, which takes this one's place when the module is imported."""

    __dialect__ = "sqlite"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._carried: dict[str, list[tuple[str, str]]] = {}

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: Table) -> None:
        """Take down what hangs on the table."""
        super().prep_table_for_batch(batch_impl, table)
        assert self.connection is not None
        rows = self.connection.execute(_HANGING, {"table": table.name}).all()
        for kind, name, _ in rows:
            self._exec(Statement(f'DROP {kind} IF EXISTS "{name}"'))
        self._carried[batch_impl.temp_table_name] = [(name, sql) for _, name, sql in rows]

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """Rename; at the end of a copy, put back what hung on the table."""
        super().rename_table(old_table_name, new_table_name, schema=schema)
        for _, sql in self._carried.get(old_table_name, ()):
            self._exec(Statement(sql))

    def create_index(self, index: Index, **kw: Any) -> None:
        """Create an index, unless it has just come back."""
        if not any(index.name == name for carried in self._carried.values() for name, _ in carried):
            super().create_index(index, **kw)

    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Whether two defaults differ. Alembic 1.20.1 takes the empty text and its quotes for two defaults."""
        if rendered_metadata_default in _EMPTY and rendered_inspector_default in _EMPTY:
            return False
        return super().compare_server_default(
            inspector_column, metadata_column, rendered_metadata_default, rendered_inspector_default
        )

"""Operations on PostgreSQL that policies stand in the way of: they take them down, and the end of the run puts them up again.

A policy holds on to the columns it names, and its functions to the table. Until the run commits nobody else sees the
table, and where a migration fails the policies stand as before.
"""

from __future__ import annotations

from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Column, Table

from freehold.store.policies import take_down


class WalledImpl(PostgresqlImpl):
    """Alembic's implementation for PostgreSQL, which takes this one's place when the module is imported."""

    __dialect__ = "postgresql"

    def drop_table(self, table: Table, **kw: Any) -> None:
        """Drop a table, its policies and their functions."""
        self._take_down(table.name, table.schema)
        super().drop_table(table, **kw)

    def drop_column(self, table_name: str, column: Column[Any], **kw: Any) -> None:
        """Drop a column that policies may name."""
        self._take_down(table_name, kw.get("schema"))
        super().drop_column(table_name, column, **kw)

    def alter_column(self, table_name: str, column_name: str, *, type_: Any = None, **kw: Any) -> None:
        """Alter a column; for a new type policies must not name it."""
        if type_ is not None:
            self._take_down(table_name, kw.get("schema"))
        super().alter_column(table_name, column_name, type_=type_, **kw)

    def _take_down(self, table: str, schema: str | None) -> None:
        assert self.connection is not None
        if not self.as_sql:
            take_down(self.connection, table, schema)

"""The full-text index behind a search column, as DDL for both databases.

Both index the stored terms as they are: see `search_text`. On PostgreSQL that is a GIN index over the tsvector, on
SQLite an FTS5 table with one column for the first source and one for the others.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table

from freehold.resource.text_index import TextIndex, quoter


def fts_table(table_name: str) -> str:
    """The FTS5 table of a searched table."""
    return f"{table_name}_fts"


class SearchIndex(TextIndex):
    """One full-text index over a `search_document` column."""

    columns = ("lead", "rest")
    # ascii: every character past ASCII belongs to a term, and our terms hold no other than letters and digits.
    options = "tokenize = 'ascii'"

    def __init__(self, table: Table, column: Column[Any]) -> None:
        super().__init__(table, column, name=f"ix_{table.name}_{column.name}_terms", fts=fts_table(table.name))

    def parts(self, value: str) -> str:
        """What stands before and behind the line feed of a document."""
        at = f"instr({value} || char(10), char(10))"
        return f"substr({value}, 1, {at} - 1), substr({value}, {at} + 1)"

    def create_postgresql(self) -> list[str]:
        """A GIN index. Without fast updates: a reader would go through all that is pending."""
        q = quoter("postgresql")
        gin = f"USING gin ({q(self.column.name)}) WITH (fastupdate = off)"
        return [f"CREATE INDEX {q(self.name)} ON {q(self.table.name)} {gin}"]


def search_ddl(table: Table, dialect_name: str) -> list[tuple[list[str], list[str]]]:
    """Pairs of statements that create and drop each full-text index of a table."""
    return [
        (each.create(dialect_name), each.drop(dialect_name))
        for each in table.info.get("fh_ddl", ())
        if isinstance(each, SearchIndex)
    ]

"""The index behind `__contains`: the runs of three characters of a folded key.

It finds the rows that hold every run of a needle; LIKE then tells which of them hold the needle itself. So an index
that is missing, or that leaves characters out (pg_trgm knows letters and digits of the database's locale alone), costs
time and never an answer.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from sqlalchemy import Column, Table

from freehold.resource.text_index import TextIndex, quoter

RUN: Final = 3
"""Characters of a run. A shorter needle is looked for in every row."""
MAX_RUNS: Final = 32
"""Runs of a needle that are asked for; more would narrow the rows no further."""

_EXTENSION = """DO $fh$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
  RAISE NOTICE 'pg_trgm is not available: __contains looks through every row';
END
$fh$"""


def trigram_table(table_name: str, column_name: str) -> str:
    """The FTS5 table of a folded key."""
    return f"{table_name}_{column_name}_fts"


def trigram_query(needle: str) -> str:
    """The FTS5 query for rows with every run of a needle of at least three characters."""
    runs = dict.fromkeys(needle[at : at + RUN] for at in range(len(needle) - RUN + 1))
    return " AND ".join('"{}"'.format(run.replace('"', '""')) for run in islice(runs, MAX_RUNS))


class TrigramIndex(TextIndex):
    """One index over a `folded` column."""

    columns = ("key",)
    # A key is folded already. Neither places nor counts are kept: LIKE confirms.
    options = "tokenize = 'trigram case_sensitive 1', detail = none"

    def __init__(self, table: Table, column: Column[Any]) -> None:
        super().__init__(
            table,
            column,
            name=f"ix_{table.name}_{column.name}_trigrams",
            fts=trigram_table(table.name, column.name),
        )

    def parts(self, value: str) -> str:
        """The key as it is."""
        return value

    def create_postgresql(self) -> list[str]:
        """The extension where the role may create it, and where it is there, a GIN index."""
        q = quoter("postgresql")
        gin = f"USING gin ({q(self.column.name)} gin_trgm_ops) WITH (fastupdate = off)"
        create = f"CREATE INDEX {q(self.name)} ON {q(self.table.name)} {gin};"
        there = "EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')"
        return [_EXTENSION, f"DO $fh$\nBEGIN\n  IF {there} THEN\n    {create}\n  END IF;\nEND\n$fh$"]


def has_trigrams(key: Column[Any] | None) -> bool:
    """Whether a folded column has this index."""
    return key is not None and any(
        isinstance(each, TrigramIndex) and each.column is key for each in key.table.info.get("fh_ddl", ())
    )

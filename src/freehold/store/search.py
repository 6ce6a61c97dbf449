"""Full-text and geographic conditions, one expression each, written for the database that runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Double,
    Integer,
    Table,
    Text,
    TypeDecorator,
    cast,
    func,
    literal,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from freehold.query.words import Match, Phrase, Words
from freehold.resource.search_index import fts_table
from freehold.resource.search_text import LEAD, pairs
from freehold.resource.text_index import rows_table
from freehold.resource.trigram_index import trigram_table
from freehold.store.functions import EARTH_RADIUS_KM


class SearchText(TypeDecorator[Match]):
    """A `Match` as the database's own query text. Every term is quoted: nothing a user typed is syntax."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Match | None, dialect: Dialect) -> str | None:
        """An FTS5 expression or a tsquery. Where nothing is wanted, it finds what is unwanted."""
        if value is None:
            return None
        write = _fts5 if dialect.name == "sqlite" else _tsquery
        either = " OR " if dialect.name == "sqlite" else " | "
        but_not = " NOT " if dialect.name == "sqlite" else " & !"
        if value.wanted is None:
            return either.join(write(words) for words in value.unwanted)
        found = write(value.wanted)
        for words in value.unwanted:
            found = f"({found}{but_not}{write(words)})"
        return found


def _fts5(words: Words) -> str:
    phrases = [f'"{" ".join(phrase.terms)}"{" *" if phrase.prefix else ""}' for phrase in words.phrases]
    return f"({'lead : ' if words.in_lead else ''}({' AND '.join(phrases)}))"


def _tsquery(words: Words) -> str:
    write = _tsquery_in_lead if words.in_lead else _tsquery_phrase
    return f"({' & '.join(write(phrase) for phrase in words.phrases)})"


def _tsquery_phrase(phrase: Phrase, mark: str = "") -> str:
    terms = " <-> ".join(f"'{mark}{term}'" for term in phrase.terms)
    return f"({terms}{':*' if phrase.prefix else ''})"


def _tsquery_in_lead(phrase: Phrase) -> str:
    # The pairs say how rare the phrase is, which the planner cannot know from its words.
    near = pairs(phrase.terms)
    parts = [f"'{pair}'{':*' if phrase.prefix and pair is near[-1] else ''}" for pair in near]
    return f"({' & '.join([*parts, _tsquery_phrase(phrase, LEAD)])})"


class _Indexed(FunctionElement[bool]):
    """Rows that an index over a column finds: the primary key, the column, the query in the index's own language."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Column[Any], query: ColumnElement[Any]) -> None:
        table = column.table
        assert isinstance(table, Table)
        super().__init__(next(iter(table.primary_key.columns)), column, query)

    def self_group(self, against: Any = None) -> _Indexed:
        """Itself: SQLAlchemy would write `= 1` behind a boolean function on SQLite, and hide the index from it."""
        return self


class Matches(_Indexed):
    """Rows whose search document matches; see `matches`."""

    name = "fh_matches"
    inherit_cache = True


class HoldsRuns(_Indexed):
    """Rows whose folded key holds the runs of a needle; see `holds_runs`. SQLite alone: PostgreSQL reads them off LIKE."""

    name = "fh_holds_runs"
    inherit_cache = True


def matches(document: Column[Any], query: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a row matches. document: a `search_document` column. query: of type `SearchText`, not empty."""
    return Matches(document, query)


def holds_runs(key: Column[Any], query: ColumnElement[Any]) -> ColumnElement[bool]:
    """What every row fulfils whose key holds a needle, and some others. key: with a `TrigramIndex`. query: `trigram_query`."""
    return HoldsRuns(key, query)


@compiles(Matches, "sqlite")
def _matches_sqlite(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    return _found_sqlite(element, fts_table(_column(element).table.name), compiler, **kw)


@compiles(HoldsRuns, "sqlite")
def _holds_runs_sqlite(element: HoldsRuns, compiler: SQLCompiler, **kw: Any) -> str:
    column = _column(element)
    return _found_sqlite(element, trigram_table(column.table.name, column.name), compiler, **kw)


def _column(element: _Indexed) -> Any:
    _, column, _ = element.clauses
    return next(iter(column.base_columns))


def _found_sqlite(element: _Indexed, name: str, compiler: SQLCompiler, **kw: Any) -> str:
    key, _, query = element.clauses
    quote = compiler.preparer.quote
    fts, rows = quote(name), quote(rows_table(name))
    return (
        f"({compiler.process(key, **kw)} IN (SELECT r.id FROM {fts} JOIN {rows} AS r ON r.n = {fts}.rowid "
        f"WHERE {fts} MATCH {compiler.process(query, **kw)}))"
    )


@compiles(Matches, "postgresql")
def _matches_postgresql(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    _, document, query = element.clauses
    return f"({compiler.process(document, **kw)} @@ CAST({compiler.process(query, **kw)} AS tsquery))"


class MatchCount(FunctionElement[int]):
    """How many rows of an FTS5 table match, counted up to a limit: table, query, limit. SQLite alone."""

    name = "fh_match_count"
    type = Integer()
    inherit_cache = True

    def __init__(self, *clauses: ColumnElement[Any], table: str) -> None:
        super().__init__(*clauses)
        self.table = table


def match_count(table: str, fts: str, query: ColumnElement[Any], most: int) -> ColumnElement[int]:
    """How many rows of a table match in its FTS5 table, whoever may see them, up to `most`. To plan a statement.

    Never for an answer, save an empty one, which is as old as the table is.
    """
    return MatchCount(literal_column(f'"{fts}"'), query, literal(most), table=table)


@compiles(MatchCount, "sqlite")
def _match_count_sqlite(element: MatchCount, compiler: SQLCompiler, **kw: Any) -> str:
    fts, query, most = (compiler.process(part, **kw) for part in element.clauses)
    compiler.__dict__.setdefault("fh_reads", set()).add(element.table)
    return f"(SELECT count(*) FROM (SELECT 1 FROM {fts} WHERE {fts} MATCH {query} LIMIT {most}))"


class Haversine(FunctionElement[float]):
    """Kilometres between two places: latitude, longitude, other latitude, other longitude, in degrees."""

    name = "fh_haversine"
    type = Double()
    inherit_cache = True


@compiles(Haversine, "sqlite")
def _haversine_sqlite(element: Haversine, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(_haversine(element, func.min), **kw)


@compiles(Haversine, "postgresql")
def _haversine_postgresql(element: Haversine, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(_haversine(element, func.least), **kw)


def _haversine(element: Haversine, least: Callable[..., ColumnElement[float]]) -> ColumnElement[float]:
    latitude, longitude, other_latitude, other_longitude = (cast(part, Double) for part in element.clauses)
    north = func.power(func.sin(func.radians(other_latitude - latitude) / 2), 2)
    east = func.power(func.sin(func.radians(other_longitude - longitude) / 2), 2)
    parallels = func.cos(func.radians(latitude)) * func.cos(func.radians(other_latitude))
    share = least(cast(1, Double), func.sqrt(north + parallels * east))
    return 2 * EARTH_RADIUS_KM * func.asin(share)


class BytewiseText(FunctionElement[str]):
    """A text in byte order, which is the order of SQLite and of the `C` collation."""

    name = "fh_bytewise"
    type = Text()
    inherit_cache = True


@compiles(BytewiseText, "sqlite")
def _bytewise_sqlite(element: BytewiseText, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(BytewiseText, "postgresql")
def _bytewise_postgresql(element: BytewiseText, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(next(iter(element.clauses)), **kw)})::text COLLATE "C"'

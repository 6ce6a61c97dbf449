"""Full-text and geographic conditions, one expression each, written for the database that runs it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Dialect, Double, Table, Text, TypeDecorator, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from freehold.query.request import Search
from freehold.resource.search_index import fts_rows_table, fts_table
from freehold.store.functions import EARTH_RADIUS_KM


class SearchText(TypeDecorator[Search]):
    """A `Search` as the database's own query text. Every term is quoted: nothing a user typed is syntax."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Search | None, dialect: Dialect) -> str | None:
        """FTS5 joins terms by AND of itself, a tsquery by `&`."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            parts = [f'"{term}"' for term in value.terms] + ([f'"{value.prefix}"*'] if value.prefix else [])
            return " ".join(parts)
        parts = [f"'{term}'" for term in value.terms] + ([f"'{value.prefix}':*"] if value.prefix else [])
        return " & ".join(parts)


class Matches(FunctionElement[bool]):
    """Rows whose search document holds every term; see `matches`."""

    name = "fh_matches"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Matches:
        """Itself: SQLAlchemy would write `= 1` behind a boolean function on SQLite, and hide the index from it."""
        return self


def matches(document: Column[Any], query: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a row matches. document: a `search_document` column. query: of type `SearchText`, not empty."""
    table = document.table
    assert isinstance(table, Table)
    return Matches(next(iter(table.primary_key.columns)), document, query)


@compiles(Matches, "sqlite")
def _matches_sqlite(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    key, document, query = element.clauses
    name = next(iter(document.base_columns)).table.name
    quote = compiler.preparer.quote
    fts, rows = quote(fts_table(name)), quote(fts_rows_table(name))
    return (
        f"({compiler.process(key, **kw)} IN (SELECT r.id FROM {fts} JOIN {rows} AS r ON r.n = {fts}.rowid "
        f"WHERE {fts} MATCH {compiler.process(query, **kw)}))"
    )


@compiles(Matches, "postgresql")
def _matches_postgresql(element: Matches, compiler: SQLCompiler, **kw: Any) -> str:
    _, document, query = element.clauses
    terms = f"array_to_tsvector(string_to_array({compiler.process(document, **kw)}, ' '))"
    return f"({terms} @@ CAST({compiler.process(query, **kw)} AS tsquery))"


class Haversine(FunctionElement[float]):
    """Kilometres between two places: latitude, longitude, other latitude, other longitude, in degrees."""

    name = "fh_haversine"
    type = Double()
    inherit_cache = True


@compiles(Haversine, "sqlite")
def _haversine_sqlite(element: Haversine, compiler: SQLCompiler, **kw: Any) -> str:
    return f"fh_haversine({', '.join(compiler.process(part, **kw) for part in element.clauses)})"


@compiles(Haversine, "postgresql")
def _haversine_postgresql(element: Haversine, compiler: SQLCompiler, **kw: Any) -> str:
    latitude, longitude, other_latitude, other_longitude = (cast(part, Double) for part in element.clauses)
    north = func.power(func.sin(func.radians(other_latitude - latitude) / 2), 2)
    east = func.power(func.sin(func.radians(other_longitude - longitude) / 2), 2)
    parallels = func.cos(func.radians(latitude)) * func.cos(func.radians(other_latitude))
    share = func.least(cast(1, Double), func.sqrt(north + parallels * east))
    return compiler.process(2 * EARTH_RADIUS_KM * func.asin(share), **kw)


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

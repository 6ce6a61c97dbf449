"""Derived columns: computed in Python from other columns of the row, at every flush and every Core INSERT.

    class Property(Base):
        title: Mapped[str] = mapped_column(String(120))
        city: Mapped[str] = mapped_column(String(80))
        title_key: Mapped[str] = folded("title", index=True)
        search: Mapped[str] = search_document("title", "city")

A client neither sees nor sets them. A Core UPDATE knows no row and cannot compute them: the compiler refuses one that
sets a column named in `table.info["fh_derived_sources"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from sqlalchemy import Column, Connection, Enum, String, Table, event, inspect
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import InstanceState, MappedColumn, Mapper, mapped_column

from freehold.errors import ConfigurationError
from freehold.resource.fold import fold
from freehold.resource.grams import document
from freehold.resource.search_index import SearchIndex
from freehold.resource.search_text import SearchDocument
from freehold.resource.trigram_index import TrigramIndex

MAX_KEY_CHARACTERS: Final = 500
"""A folded key is cut here: 2,000 bytes at most, so that a B-tree entry (2,704 bytes on PostgreSQL) holds it."""


@dataclass(frozen=True, slots=True)
class Derived:
    """How a column comes about. In `column.info["fh_derived"]`. kind: `folded` or `search`, or one of your own."""

    kind: str
    sources: tuple[str, ...]
    compute: Callable[[Mapping[str, Any]], Any]

    def value(self, row: Mapping[str, Any], column: Column[Any]) -> Any:
        """The value for a row; NULL sources of a column without NULL count as empty."""
        found = self.compute(row)
        return "" if found is None and not column.nullable and isinstance(column.type, String) else found


def one_of(choices: Any) -> Enum:
    """The column type of a `Literal`: text, wide enough that a further choice of up to 20 characters needs no other."""
    return Enum(*get_args(choices), native_enum=False, length=20)


def derived(
    kind: str, *sources: str, compute: Callable[[Mapping[str, Any]], Any], type_: Any, **options: Any
) -> MappedColumn[Any]:
    """A derived column of your own. compute: gets the source columns by name, returns the value, and is pure.

    options: those of `mapped_column`.
    """
    if not sources:
        raise TypeError("a derived column needs at least one source column")
    recipe = Derived(kind, sources, compute)
    info = {**options.pop("info", {}), "fh_derived": recipe}
    return mapped_column(type_, default=_Default(recipe).at_insert, info=info, **options)


def folded(
    source: str, *, index: bool = False, contains: bool = False, nullable: bool | None = None
) -> MappedColumn[Any]:
    """The folded form of a text column: what it sorts by, and where `__contains` looks.

    Byte order on both databases. The first 500 characters count. index: needed to sort by the text. contains: a second
    index, by which `__contains` finds three characters and more without a look through every row; it makes a write
    dearer. With `Mapped[str | None]` a NULL source stays NULL, with `Mapped[str]` it becomes the empty text.
    """
    kind = String(MAX_KEY_CHARACTERS).with_variant(String(MAX_KEY_CHARACTERS, collation="C"), "postgresql")
    options: dict[str, Any] = {} if nullable is None else {"nullable": nullable}
    info = {"fh_contains": contains}
    return derived("folded", source, compute=_folding(source), type_=kind, index=index, info=info, **options)


def search_document(*sources: str) -> MappedColumn[Any]:
    """What `q=` searches: the folded terms of the sources, in any script, with a full-text index on both databases.

    The source that tells most of a row comes first: what is found in it ranks before what is found elsewhere. Chinese,
    Japanese, Korean, Thai, Lao, Khmer and Burmese are indexed by pairs of characters, and found anywhere in a text.
    """
    return derived(
        "search", *sources, compute=_documenting(*sources), type_=SearchDocument(), deferred=True, nullable=False
    )


def _folding(source: str) -> Callable[[Mapping[str, Any]], str | None]:
    def compute(row: Mapping[str, Any]) -> str | None:
        value = row.get(source)
        return None if value is None else fold(str(value))[:MAX_KEY_CHARACTERS]

    return compute


def _documenting(*sources: str) -> Callable[[Mapping[str, Any]], str]:
    def compute(row: Mapping[str, Any]) -> str:
        return document([None if (value := row.get(name)) is None else str(value) for name in sources])

    return compute


def recipe_of(kind: str, sources: tuple[str, ...]) -> Derived | None:
    """What `folded` or `search_document` computes, for a migration that has no model; None for a kind of one's own."""
    if kind == "folded":
        return Derived(kind, sources, _folding(*sources))
    return Derived(kind, sources, _documenting(*sources)) if kind == "search" else None


def derived_columns(table: Table) -> dict[str, Derived]:
    """The derived columns of a table, by column name."""
    return dict(table.info.get("fh_derived", {}))


class _Default:
    """The value at a Core INSERT, from the parameters of the same row."""

    def __init__(self, recipe: Derived) -> None:
        self._recipe = recipe

    def at_insert(self, context: DefaultExecutionContext) -> Any:
        column: Column[Any] = context.current_column
        values = context.get_current_parameters()  # type: ignore[no-untyped-call]
        row = {name: given(column.table.c[name], values) for name in self._recipe.sources}
        return self._recipe.value(row, column)


def given(source: Column[Any], values: Mapping[str, Any]) -> Any:
    """The value of a source in a new row of which these are given."""
    if source.key in values:
        return values[source.key]
    # Not sent and not yet filled in: the constant that the INSERT is about to put there.
    return source.default.arg if source.default is not None and source.default.is_scalar else None  # type: ignore[attr-defined]


@event.listens_for(Mapper, "after_mapper_constructed")
def _registered(mapper: Mapper[Any], _: type[Any]) -> None:
    # When the model is mapped, not when a column meets a table: Alembic makes tables of copied columns to compare.
    table = mapper.local_table
    if not isinstance(table, Table) or "fh_derived" in table.info:
        return
    recipes = {column.name: column.info["fh_derived"] for column in table.c if "fh_derived" in column.info}
    if not recipes:
        return
    table.info["fh_derived"] = recipes
    table.info["fh_derived_sources"] = {source for recipe in recipes.values() for source in recipe.sources}
    for name, recipe in recipes.items():
        if recipe.kind == "search":
            SearchIndex(table, table.c[name]).attach()
        if table.c[name].info.get("fh_contains"):
            TrigramIndex(table, table.c[name]).attach()


def _derive(mapper: Mapper[Any], target: object, *, only_changed: bool) -> None:
    state: InstanceState[Any] = inspect(target)
    for table in mapper.tables:
        if not isinstance(table, Table):
            continue
        for name, recipe in table.info.get("fh_derived", {}).items():
            column = table.c[name]
            keys = {
                source: mapper.get_property_by_column(_source(table, column, source)).key for source in recipe.sources
            }
            own_key = mapper.get_property_by_column(column).key
            if only_changed and not any(state.attrs[key].history.has_changes() for key in (*keys.values(), own_key)):
                continue
            row = {source: _present(state, key, table.c[source]) for source, key in keys.items()}
            setattr(target, own_key, recipe.value(row, column))


def _source(table: Table, column: Column[Any], name: str) -> Column[Any]:
    if name not in table.c:
        raise ConfigurationError(
            f"{table.name}.{column.name} is derived from {name!r}, which is no column of {table.name}; "
            f"it has {', '.join(table.c.keys())}"
        )
    return table.c[name]


def _present(state: InstanceState[Any], key: str, source: Column[Any]) -> Any:
    if key not in state.dict and not state.has_identity:
        return given(source, {})
    return getattr(state.obj(), key)


@event.listens_for(Mapper, "before_insert")
def _before_insert(mapper: Mapper[Any], connection: Connection, target: object) -> None:
    _derive(mapper, target, only_changed=False)


@event.listens_for(Mapper, "before_update")
def _before_update(mapper: Mapper[Any], connection: Connection, target: object) -> None:
    _derive(mapper, target, only_changed=True)

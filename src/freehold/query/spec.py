"""What the lists of one resource may be asked. Made by `declare.build_spec` at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Column, Table
from sqlalchemy.orm import DeclarativeBase

from freehold.query.fields import FieldSpec
from freehold.resource.declaration import Filter

RESERVED: Final = frozenset({"sort", "q", "limit", "cursor", "count", "expand", "facets", "near", "within_km", "bbox"})
"""Parameters that every list keeps for itself."""
DELETED: Final = "deleted"
"""The parameter that asks for deleted rows, where they can be restored."""
DISTANCE: Final = "distance"
"""The sort by distance from `near`."""
RELEVANCE: Final = "relevance"
"""The sort by how well a row matches `q`, the best first."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """One filter parameter: an operation on a field."""

    field: FieldSpec
    operation: str


@dataclass(frozen=True, slots=True)
class CustomParameter:
    """One parameter of a `Filter`: which filter, and how its text is read."""

    filter: Filter
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """A field whose values are counted, or the ranges between `edges` that they lie in."""

    field: FieldSpec
    edges: tuple[Any, ...] = ()

    @property
    def ranges(self) -> list[tuple[Any, Any]]:
        """Where each range begins and what is the first value behind it; None for no end."""
        return list(pairwise((None, *self.edges, None)))


@dataclass(frozen=True, slots=True, eq=False)
class ListSpec:
    """The checked declaration. `fields` are the readable scalar columns, by their name on the wire.

    shows_deleted: whether `deleted=true` asks for the rows that a soft deletion has taken out of sight.
    """

    resource: str
    model: type[DeclarativeBase]
    table: Table
    key: FieldSpec
    fields: Mapping[str, FieldSpec]
    filters: Mapping[str, FilterSpec]
    custom: Mapping[str, CustomParameter]
    sorts: Mapping[str, FieldSpec]
    sorts_by_distance: bool
    default_sort: tuple[SortKey, ...]
    search: Column[Any] | None
    search_sources: frozenset[str]
    sorts_by_relevance: bool
    geo: tuple[FieldSpec, FieldSpec] | None
    expand: Mapping[str, frozenset[str]]
    facets: Mapping[str, Facet]
    page_size: int
    max_page_size: int
    shows_deleted: bool = False

    def sort_field(self, name: str) -> FieldSpec | None:
        """The field behind a sort key; None for the distance and the relevance."""
        return None if name in (DISTANCE, RELEVANCE) and name not in self.sorts else self.sorts.get(name, self.key)


def sort_key(text: str) -> SortKey:
    """`-year` -> year, descending."""
    return SortKey(text.removeprefix("-"), text.startswith("-"))


def split_parameter(parameter: str) -> tuple[str, str]:
    """`price__gte` -> `("price", "gte")`; without an operation it is `eq`."""
    name, separator, operation = parameter.rpartition("__")
    return (name, operation) if separator else (parameter, "eq")

"""A checked request for a page of a list."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement

from freehold.query.fields import FieldSpec
from freehold.query.spec import RELEVANCE, SortKey
from freehold.query.words import Match, Search


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter with its value: a tuple for `in`, a bool for `isnull`.

    by_runs: of a needle, to be found by its runs in an index, where that is known to leave few rows.
    """

    field: FieldSpec
    operation: str
    value: Any
    by_runs: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """A point in degrees, and how far from it at most."""

    latitude: float
    longitude: float
    within_km: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees. West is larger than east where it crosses the 180th meridian."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What is asked of a list. `sort` ends with the primary key, so that the order is total.

    match: what of `search` the rows have to hold; a page by relevance asks for one tier after the other. kept: what was worked
    out of it, for those who are asked the same again.
    """

    sort: tuple[SortKey, ...]
    limit: int
    conditions: tuple[Condition, ...] = ()
    clauses: tuple[ColumnElement[bool], ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    search: Search | None = None
    match: Match | None = None
    near: Near | None = None
    box: Box | None = None
    cursor: str | None = None
    count: bool = False
    expand: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    deleted: bool = False
    kept: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def by_relevance(self) -> bool:
        """Whether the best matches of the search come first. The tiers then are the first key of the order."""
        return self.sort[0].name == RELEVANCE

    def within(self, parent: FieldSpec, value: Any) -> ListQuery:
        """The same below one parent row: `parent` is the child's foreign key field."""
        return replace(self, conditions=(*self.conditions, Condition(parent, "eq", value)))

    def digest(self) -> str:
        """What a cursor is bound to: everything that decides which rows there are and in which order."""
        found: str | None = self.kept.get("digest")
        if found is None:
            found = self.kept["digest"] = self._digest()
        return found

    def _digest(self) -> str:
        conditions = [(each.field.name, each.operation, repr(each.value)) for each in self.conditions]
        custom = sorted((name, repr(value)) for name, value in self.custom.items())
        sort = [(key.name, key.descending) for key in self.sort]
        said = repr((conditions, custom, sort, self.search, self.near, self.box, self.deleted))
        return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]

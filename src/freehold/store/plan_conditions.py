"""The WHERE of a query: text from its shape, values beside it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Column, ColumnElement, Double, String, and_, bindparam, false, not_
from sqlalchemy.types import TypeEngine

from freehold.query.cursor import Position
from freehold.query.fields import COMPARISONS, FieldSpec
from freehold.query.request import Condition, ListQuery
from freehold.query.spec import ListSpec
from freehold.query.words import Match
from freehold.resource.columns import MAX_KEY_CHARACTERS
from freehold.resource.fold import fold
from freehold.resource.trigram_index import RUN, has_trigrams, trigram_query
from freehold.store.plan_geo import Bounds, bounds_near, bounds_of, distance, inside, inside_values
from freehold.store.plan_keyset import value_name
from freehold.store.search import SearchText, holds_runs, matches
from freehold.store.search_rows import row_matches, row_shape, row_values

SEARCH: Final = "q_search"
_ROW: Final = "q_row_"
_ESCAPE: Final = "\\"
_RUNS: Final = "_runs"
T = TypeVar("T")


def condition_shape(query: ListQuery) -> Hashable:
    """Equal for queries whose conditions have the same text."""
    filters = tuple((each.field.name, each.operation, _said(each), each.by_runs) for each in query.conditions)
    near = bounds_near(query.near) if query.near else None
    return (
        filters,
        match_shape(query),
        query.near is not None,
        near and near.shape,
        query.box and bounds_of(query.box).shape,
    )


def _said(asked: Condition) -> Hashable:
    """What of a value stands in the text."""
    if asked.operation == "in":
        return len(padded(asked.value))
    return asked.operation == "isnull" and asked.value


def padded(values: Sequence[T]) -> list[T]:
    """As many as a power of two, the last one again and again: so that lists of all lengths have few texts."""
    return [*values, *[values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))]


def among(column: ColumnElement[Any], name: str, number: int, type_: TypeEngine[Any]) -> ColumnElement[bool]:
    """Whether a value is one of the binds `listed` gives."""
    return column.in_([bindparam(f"{name}_{place}", type_=type_) for place in range(number)])


def listed(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """The values of the binds of `among`, as many as it has been told of."""
    return {f"{name}_{place}": value for place, value in enumerate(values)}


def match_shape(query: ListQuery) -> Hashable:
    """What of a search decides the text of its condition."""
    if query.match is None:
        return None
    tested = row_shape(query.match) if query.match.is_common else None
    return query.match.wanted is None, bool(query.match.unwanted), tested


def conditions(spec: ListSpec, query: ListQuery) -> Iterator[ColumnElement[bool]]:
    """The conditions of a query, without its page."""
    for place, each in enumerate(query.conditions):
        yield _condition(each, f"q_p{place}")
    yield from query.clauses
    if query.match is not None and spec.search is not None:
        yield _matching(spec.search, query.match)
    if spec.geo is None:
        return
    if query.box is not None:
        yield inside(spec.geo, "q_box_", bounds_of(query.box).shape)
    if query.near is not None:
        bounds = bounds_near(query.near)
        yield _known(spec.geo) if bounds is None else _circle(spec.geo, bounds)


def values(spec: ListSpec, query: ListQuery) -> dict[str, Any]:
    """The values of the binds of `conditions`."""
    found: dict[str, Any] = {
        f"q_p{place}": _value(each)
        for place, each in enumerate(query.conditions)
        if each.operation not in ("isnull", "in")
    }
    for place, each in enumerate(query.conditions):
        if each.operation == "in":
            found |= listed(f"q_p{place}", padded(each.value))
    found |= {f"q_p{place}{_RUNS}": runs_of(each) for place, each in enumerate(query.conditions) if each.by_runs}
    if query.match is not None and query.match.is_common:
        found |= row_values(query.match, _ROW)
    elif query.match is not None and _looks(query.match):
        found[SEARCH] = query.match
    if spec.geo is not None and query.box is not None:
        found |= inside_values(spec.geo, "q_box_", bounds_of(query.box))
    if spec.geo is not None and query.near is not None:
        found |= {"q_lat": query.near.latitude, "q_lng": query.near.longitude}
        bounds = bounds_near(query.near)
        if bounds is not None:
            found |= {**inside_values(spec.geo, "q_near_", bounds), "q_within": query.near.within_km}
    return found


def page_values(spec: ListSpec, query: ListQuery, position: Position) -> Mapping[str, Any]:
    """The values of the binds of `ResourcePlans.page`: one row more than asked for tells whether there is a next page."""
    known: dict[str, Any] | None = query.kept.get("values")
    if known is None:
        known = query.kept["values"] = values(spec, query) | {"q_limit": query.limit + 1}
    if not position.values:
        return known
    return known | {value_name(place): value for place, value in enumerate(position.values) if value is not None}


def _looks(match: Match) -> bool:
    return match.wanted is not None or bool(match.unwanted)


def _matching(document: Column[Any], match: Match) -> ColumnElement[bool]:
    if not _looks(match):
        return false()
    if match.is_common:
        return row_matches(document, match, _ROW)
    found = matches(document, bindparam(SEARCH, type_=SearchText()))
    return not_(found) if match.wanted is None else found


def _circle(geo: tuple[FieldSpec, FieldSpec], bounds: Bounds) -> ColumnElement[bool]:
    return and_(inside(geo, "q_near_", bounds.shape), distance(geo) <= bindparam("q_within", type_=Double()))


def _known(geo: tuple[FieldSpec, FieldSpec]) -> ColumnElement[bool]:
    return and_(*(field.column.is_not(None) for field in geo))


def _condition(asked: Condition, name: str) -> ColumnElement[bool]:
    field, operation = asked.field, asked.operation
    if operation == "isnull":
        return field.column.is_(None) if asked.value else field.column.is_not(None)
    if operation == "in":
        return among(field.column, name, len(padded(asked.value)), field.bind_type)
    if operation == "contains":
        return _containing(asked, name)
    if operation in COMPARISONS:
        return _compared(field, operation, name)
    bind = bindparam(name, type_=field.bind_type)
    if operation == "eq":
        return field.column == bind
    # A row without a value differs from every value, which plain SQL would leave open.
    return field.column.is_distinct_from(bind) if field.nullable else field.column != bind


def _containing(asked: Condition, name: str) -> ColumnElement[bool]:
    key = asked.field.key
    assert key is not None
    like = key.like(bindparam(name, type_=key.type), escape=_ESCAPE)
    if not asked.by_runs:
        return like
    return and_(holds_runs(key, bindparam(f"{name}{_RUNS}", type_=String())), like)


def _compared(field: FieldSpec, operation: str, name: str) -> ColumnElement[bool]:
    column = field.order_column
    bind = bindparam(name, type_=column.type if field.key is not None else field.bind_type)
    match operation:
        case "lt":
            return column < bind
        case "lte":
            return column <= bind
        case "gt":
            return column > bind
        case _:
            return column >= bind


def _key(asked: Condition) -> str:
    return fold(asked.value)[:MAX_KEY_CHARACTERS]


def runs_of(asked: Condition) -> str | None:
    """What an index is asked for the needle of a `contains`; None without an index, and for a needle that has no run."""
    if asked.operation != "contains" or not has_trigrams(asked.field.key):
        return None
    needle = _key(asked)
    return trigram_query(needle) if len(needle) >= RUN else None


def _value(asked: Condition) -> Any:
    if asked.field.key is None or asked.operation in {"eq", "ne"}:
        return asked.value
    key = _key(asked)
    if asked.operation != "contains":
        return key
    literal = key.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")
    return f"%{literal}%"

"""Facets as one statement: the rows of a list are gone through once, and grouped by all fields together.

Each facet then counts those groups, which are few, so that another facet costs little more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from freehold.query.fields import FieldSpec, Kind
from freehold.query.spec import Facet
from freehold.store.search import BytewiseText

MAX_FACET_VALUES: Final = 20


def value_label(number: int) -> str:
    """The column with the values of one facet, by its number in the statement; NULL in the rows of the others."""
    return f"v{number}"


def facet_counts(facets: Sequence[Facet], conditions: Sequence[ColumnElement[bool]]) -> CompoundSelect[Any]:
    """How often each value of each facet occurs: `facet` (its number), `place`, `v0` and so on, `number`, `total`.

    Of values, the 20 most frequent, with their place from 1, and the number of rows of all values in `total`. Of ranges,
    every one that occurs, with its number from 0 as its place; NULL for rows without a value. Rows come in no order.
    """
    found = select(*(_group(facet).label(value_label(n)) for n, facet in enumerate(facets))).where(*conditions)
    rows = found.subquery("fh_found")
    groups = select(*rows.c, func.count().label("number")).group_by(*rows.c).cte("fh_groups")
    return union_all(*(_counts(groups, facets, number) for number in range(len(facets))))


def _group(facet: Facet) -> ColumnElement[Any]:
    column = facet.field.column
    if not facet.edges:
        return column
    steps = [(column < literal(edge, facet.field.bind_type), place) for place, edge in enumerate(facet.edges)]
    return case((column.is_(None), None), *steps, else_=len(facet.edges))


def _counts(groups: CTE, facets: Sequence[Facet], number: int) -> Select[Any]:
    value = groups.c[value_label(number)]
    rows = cast(func.sum(groups.c.number), BigInteger).label("number")
    if facets[number].edges:
        shown = select(literal(number).label("facet"), value.label("place"), *_values(facets, {}), rows, _no_total())
        return shown.group_by(value)
    total = cast(func.sum(func.sum(groups.c.number)).over(), BigInteger).label("total")
    best_first = [func.sum(groups.c.number).desc(), _in_shared_order(facets[number].field, value).nulls_last()]
    place = func.row_number().over(order_by=best_first).label("place")
    found = select(value.label("value"), rows, total, place).group_by(value).subquery().c
    values = _values(facets, {number: found.value})
    shown = select(literal(number).label("facet"), found.place, *values, found.number, found.total)
    return shown.where(found.place <= MAX_FACET_VALUES)


def _values(facets: Sequence[Facet], known: Mapping[int, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    none = (cast(null(), each.field.column.type) for each in facets)
    return [known.get(number, empty).label(value_label(number)) for number, empty in enumerate(none)]


def _no_total() -> ColumnElement[Any]:
    return cast(null(), BigInteger).label("total")


def _in_shared_order(field: FieldSpec, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return BytewiseText(value) if field.kind in {Kind.TEXT, Kind.CHOICE} else value

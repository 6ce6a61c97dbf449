"""What a list could be narrowed to: values and ranges, and how many rows each would leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row

from freehold.query.request import ListQuery
from freehold.query.spec import Facet, ListSpec
from freehold.store.executor import Executor
from freehold.store.plan_conditions import values
from freehold.store.plan_facet_counts import value_label
from freehold.store.plans import ResourcePlans, without


async def fetch_facets(plans: ResourcePlans, executor: Executor, query: ListQuery) -> bytes:
    """The facets that were asked for, as JSON; one statement for those without a filter of their own, one for each other.

    `{"city": {"values": [{"value": "Oslo", "count": 3}], "others": 2}}`: others are the rows of the values that are not
    shown. `{"price": {"values": [{"from": null, "to": 100, "count": 3}, …], "others": 0}}`: of ranges, `to` is the first
    value that is not in it, and others are the rows without a value. The filters on a field do not count for its own
    facet: a client shows what it could choose instead.
    """
    counted: dict[str, dict[str, Any]] = {}
    for asked, names in _by_query(plans.spec, query):
        rows = await executor.fetch(plans.facets(asked, names), values(plans.spec, asked))
        for number, name in enumerate(names):
            counted[name] = _of(plans.spec.facets[name], number, [row for row in rows if row.facet == number])
    return to_json({name: counted[name] for name in query.facets})


def _by_query(spec: ListSpec, query: ListQuery) -> Iterator[tuple[ListQuery, tuple[str, ...]]]:
    filtered = {condition.field.name for condition in query.conditions}
    own = [name for name in query.facets if spec.facets[name].field.name in filtered]
    together = tuple(name for name in query.facets if name not in own)
    if together:
        yield query, together
    for name in own:
        yield without(query, spec.facets[name].field), (name,)


def _of(facet: Facet, number: int, rows: Sequence[Row[Any]]) -> dict[str, Any]:
    return _of_ranges(facet, rows) if facet.edges else _of_values(value_label(number), rows)


def _of_values(label: str, rows: Sequence[Row[Any]]) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: int(row.place))
    shown = [{"value": getattr(row, label), "count": row.number} for row in rows]
    total = rows[0].total if rows else 0
    return {"values": shown, "others": total - sum(row.number for row in rows)}


def _of_ranges(facet: Facet, rows: Sequence[Row[Any]]) -> dict[str, Any]:
    found = {row.place: row.number for row in rows}
    shown = [
        {"from": first, "to": behind, "count": found.get(place, 0)}
        for place, (first, behind) in enumerate(facet.ranges)
    ]
    return {"values": shown, "others": found.get(None, 0)}


def facets_schema(facets: Mapping[str, Facet]) -> dict[str, Any]:
    """The schema of `facets` in a page, for the document."""
    return {
        "type": "object",
        "description": "With ?facets=: how many rows each value would leave, its own filter aside",
        "properties": {name: _schema(facet) for name, facet in facets.items()},
    }


def _schema(facet: Facet) -> dict[str, Any]:
    ends: dict[str, Any] = {"from": {}, "to": {}} if facet.edges else {"value": {}}
    properties = {**ends, "count": {"type": "integer", "minimum": 0}}
    item = {"type": "object", "properties": properties, "required": list(properties)}
    counted = {"values": {"type": "array", "items": item}, "others": {"type": "integer", "minimum": 0}}
    return {"type": "object", "properties": counted, "required": list(counted)}

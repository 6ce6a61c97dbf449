"""What a list could be narrowed to: values and ranges, and how many rows each would leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row

from freehold.query.request import ListQuery
from freehold.query.spec import Facet
from freehold.store.executor import Executor
from freehold.store.plan_conditions import values
from freehold.store.plans import ResourcePlans, without


async def fetch_facets(plans: ResourcePlans, executor: Executor, query: ListQuery) -> bytes:
    """The facets that were asked for, as JSON; one statement each.

    `{"city": {"values": [{"value": "Oslo", "count": 3}], "others": 2}}`: others are the rows of the values that are not
    shown. `{"price": {"values": [{"from": null, "to": 100, "count": 3}, …], "others": 0}}`: of ranges, `to` is the first
    value that is not in it, and others are the rows without a value.
    """
    counted: dict[str, dict[str, Any]] = {}
    for name in query.facets:
        facet = plans.spec.facets[name]
        rows = await executor.fetch(plans.facet(query, name), values(plans.spec, without(query, facet.field)))
        counted[name] = _of_ranges(facet, rows) if facet.edges else _of_values(rows)
    return to_json(counted)


def _of_values(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    shown = [{"value": row.value, "count": row.number} for row in rows]
    total = int(rows[0].total) if rows else 0
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

"""Parameters of resource operations, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from freehold.query.fields import FieldSpec, Kind, describe
from freehold.query.spec import DELETED, ListSpec
from freehold.web.bound import Bound

PRINTABLE = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"
"""Text parameters hold no control characters."""
_SEARCHED = (
    'Full text, in any script: all of the words, the last one perhaps unfinished; `"a phrase"`; `-without` a word'
)
_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string", "maxLength": 1000, "pattern": PRINTABLE},
    Kind.INTEGER: {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    Kind.DECIMAL: {"type": "string", "pattern": r"^-?[0-9]{1,28}(\.[0-9]{1,28})?$"},
    Kind.FLOAT: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.UUID: {"type": "string", "format": "uuid"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.INSTANT: {"type": "string", "format": "date-time"},
    Kind.NAIVE_INSTANT: {"type": "string", "format": "date-time"},
}


def key_parameter(bound: Bound) -> dict[str, Any]:
    """`{id}` in a path."""
    field = describe(bound.key_name, bound.key)
    schema = {"type": "string"} if field is None else _schema(field)
    return {"name": "id", "in": "path", "required": True, "schema": schema}


def _schema(field: FieldSpec) -> dict[str, Any]:
    if field.kind is Kind.CHOICE:
        return {"type": "string", "enum": sorted(field.choices)}
    return dict(_SCHEMAS[field.kind])


def _query(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": schema}
    if description:
        found["description"] = description
    return found


def list_parameters(spec: ListSpec) -> list[dict[str, Any]]:
    """Everything that a list may be asked."""
    return [*_filters(spec), *_order_and_page(spec), *_special(spec)]


def _filters(spec: ListSpec) -> Iterator[dict[str, Any]]:
    for name, known in spec.filters.items():
        schema = _schema(known.field)
        if known.operation == "in":
            schema = {"type": "string", "description": "Values behind commas"}
        elif known.operation == "isnull":
            schema = {"type": "boolean"}
        elif known.operation == "contains":
            schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": PRINTABLE}
        yield _query(name, schema)
    for name, custom in spec.custom.items():
        schema = TypeAdapter(custom.filter.params[name]).json_schema()
        yield _query(name, schema, custom.filter.description)


def _order_and_page(spec: ListSpec) -> Iterator[dict[str, Any]]:
    keys = [*spec.sorts, *(["distance"] if spec.sorts_by_distance else [])]
    if keys:
        allowed = "|".join(keys)
        first = f"(relevance|-?({allowed}))" if spec.sorts_by_relevance else f"-?({allowed})"
        pattern = f"^{first}(,-?({allowed}))*$"
        described = f"Keys behind commas, `-` for descending: {', '.join(f'`{key}`' for key in keys)}"
        if spec.sorts_by_relevance:
            described += ". With `q`, `relevance` may come first, and does where no order is asked for"
        yield _query("sort", {"type": "string", "pattern": pattern}, described)
    yield from page_parameters(spec.page_size, spec.max_page_size)
    yield _query("count", {"type": "boolean", "default": False}, "Adds `total`")


def page_parameters(size: int, most: int) -> Iterator[dict[str, Any]]:
    """The place in a list."""
    yield _query("limit", {"type": "integer", "minimum": 1, "maximum": most, "default": size})
    yield _query("cursor", {"type": "string", "maxLength": 8192}, "`next_cursor` of the page before; signed")


def _special(spec: ListSpec) -> Iterator[dict[str, Any]]:
    if spec.search is not None:
        yield _query("q", {"type": "string", "maxLength": 8192, "pattern": PRINTABLE}, _SEARCHED)
    if spec.geo is not None:
        yield _query("near", {"type": "string"}, "`lat,lng` in degrees")
        yield _query("within_km", {"type": "number", "exclusiveMinimum": 0}, "With `near`")
        yield _query("bbox", {"type": "string"}, "`west,south,east,north` in degrees")
    if spec.shows_deleted:
        yield _query(DELETED, {"type": "boolean", "default": False}, "The deleted rows that you may restore, instead")
    for name, known in (("expand", spec.expand), ("facets", spec.facets)):
        if known:
            allowed = "|".join(known)
            yield _query(name, {"type": "string", "pattern": f"^({allowed})(,({allowed}))*$"}, "Names behind commas")


def view_parameters(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """The query parameters of a view, from the schema of its parameter model."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": {k: v for k, v in each.items() if k != "title"},
        }
        for name, each in schema.get("properties", {}).items()
    ]

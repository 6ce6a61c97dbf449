"""The last pass over the OpenAPI document: what linters and client generators want said, and nothing unused."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from freehold.web.edge_options import EdgeOptions

_BOUNDS = {"maxLength", "enum", "const", "format", "pattern"}
_LONGEST = EdgeOptions().line_limit_bytes
_REF = "#/components/schemas/"
_INT64 = {"format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}


def tidied(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its tags listed, its integers bounded as they are read and stored, its unused schemas gone."""
    document = deepcopy(document)  # parts of it are shared with what other documents are made of
    named = {tag["name"]: tag for tag in document.get("tags", ())}
    for item in document["paths"].values():
        for operation in item.values():
            for tag in operation.get("tags", ()):
                named.setdefault(tag, {"name": tag, "description": f"Operations on {tag.replace('-', ' ')}."})
            _bound_parameters(operation)
    document["tags"] = list(named.values())
    for schema in _schemas(document):
        if schema.get("type") == "integer" and "enum" not in schema and "const" not in schema:
            # V09: no integer past 64 bits is taken, and none can be stored.
            bounds = dict(_INT64)
            if "exclusiveMinimum" in schema:
                del bounds["minimum"]
            if "exclusiveMaximum" in schema:
                del bounds["maximum"]
            for name, value in bounds.items():
                schema.setdefault(name, value)
    _drop_unused(document)
    return document


def _bound_parameters(operation: dict[str, Any]) -> None:
    """Text in an address ends where the edge ends the request line (414)."""
    for parameter in operation.get("parameters", ()):
        if parameter.get("in") in ("path", "query"):
            for schema in _schemas(parameter.get("schema", {})):
                if schema.get("type") == "string" and not _BOUNDS & schema.keys():
                    schema["maxLength"] = _LONGEST


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document, the schemas among them."""
    if isinstance(value, dict):
        yield value
        for name, child in value.items():
            if name not in ("example", "examples", "default", "const", "enum"):
                yield from _schemas(child)
    elif isinstance(value, list):
        for child in value:
            yield from _schemas(child)


def _drop_unused(document: dict[str, Any]) -> None:
    """Leave the schemas that an operation leads to."""
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    ahead = [document["paths"], document.get("webhooks", {})]
    while ahead:
        for found in _schemas(ahead.pop()):
            name = str(found.get("$ref", "")).removeprefix(_REF)
            mapped = (str(each).removeprefix(_REF) for each in _mapping(found))
            for each in (name, *mapped):
                if each in schemas and each not in used:
                    used.add(each)
                    ahead.append(schemas[each])
    for name in [name for name in schemas if name not in used]:
        del schemas[name]


def _mapping(schema: dict[str, Any]) -> list[Any]:
    discriminator = schema.get("discriminator")
    found = discriminator.get("mapping", {}) if isinstance(discriminator, dict) else {}
    return list(found.values())

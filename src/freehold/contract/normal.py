"""An OpenAPI document reduced to what a client can notice: no prose, one order, what is said often said once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from freehold.contract.places import Place
from freehold.errors import ConfigurationError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_PROSE = {
    "title",
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "xml",
    "$comment",
    "readOnly",
    "writeOnly",
}
_SCHEMA = {
    "items",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedProperties",
}
_SCHEMAS = {"anyOf", "oneOf", "allOf", "prefixItems"}
_NAMED_SCHEMAS = {"properties", "patternProperties", "$defs", "dependentSchemas"}
_OF_AN_OPERATION = ("operationId", "deprecated", "security")
_OF_A_PARAMETER = ("name", "in", "required", "style", "explode", "allowReserved", "deprecated")
_WIDTH_OF_A_NUMBER = (("minimum", -(2**63)), ("maximum", 2**63 - 1), ("format", "int64"))
"""What Freehold writes on every integer, and most others on none."""


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """The document as it is frozen and compared. Still a valid OpenAPI document, and its own normal form.

    Raises ConfigurationError for a document that is not valid, as far as that stands in the way.
    """
    with understood():
        return _normalised(document)


@contextmanager
def understood() -> Iterator[None]:
    """Whatever in a document stands in the way, as ConfigurationError: whether one is valid is not judged otherwise."""
    try:
        yield
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ConfigurationError(f"This is not a valid OpenAPI document ({type(error).__name__}: {error}).") from error


def _normalised(document: dict[str, Any]) -> dict[str, Any]:
    root = Place(document, document, "")
    components: dict[str, Any] = {
        "schemas": {name: _schema(schema.value) for name, schema in root.at("components", "schemas").children()}
    }
    paths = {path: _path(item) for path, item in sorted(root.at("paths").children(), key=_name)}
    given = [operation for item in paths.values() for operation in item.values()]
    components["responses"] = _hoisted("responses", [each["responses"] for each in given])
    components["parameters"] = _hoisted("parameters", [each["parameters"] for each in given if "parameters" in each])
    components["securitySchemes"] = {
        name: _without_prose(scheme.value) for name, scheme in root.at("components", "securitySchemes").children()
    }
    info = {name: str(document.get("info", {}).get(name, "")) for name in ("title", "version")}
    normal = {"openapi": document.get("openapi", "3.1.0"), "info": info, "paths": paths}
    normal["components"] = {kind: dict(sorted(named.items())) for kind, named in components.items() if named}
    if document.get("security"):
        normal["security"] = document["security"]
    return normal


def operations(root: Place) -> Iterator[tuple[str, str, Place]]:
    """Each operation of a normalised document: method, path template, place."""
    for path, item in root.at("paths").children():
        for method, operation in item.children():
            yield method.upper(), path, operation


def _path(item: Place) -> dict[str, Any]:
    shared = [each for _, each in item.at("parameters").children()]
    return {method: _operation(item.at(method), shared) for method in METHODS if item.at(method).value is not None}


def _operation(operation: Place, shared: list[Place]) -> dict[str, Any]:
    kept = _kept(operation, _OF_AN_OPERATION)
    own = [each for _, each in operation.at("parameters").children()]
    parameters = {(each["in"], each["name"]): each for each in map(_parameter, [*shared, *own])}
    if parameters:
        kept["parameters"] = [parameters[key] for key in sorted(parameters)]
    body = operation.at("requestBody").followed()
    if body.value is not None:
        kept["requestBody"] = {"required": bool(body.value.get("required")), "content": _content(body)}
    kept["responses"] = {
        status: _response(status, response.followed())
        for status, response in sorted(operation.at("responses").children(), key=_name)
    }
    return kept


def _kept(place: Place, names: tuple[str, ...]) -> dict[str, Any]:
    """These members, in this order; `required` and `deprecated` are false without being said."""
    given = {name: place.value[name] for name in names if name in place.value}
    return {name: value for name, value in given.items() if value is not False or name == "explode"}


def _parameter(parameter: Place) -> dict[str, Any]:
    parameter = parameter.followed()
    kept = _kept(parameter, _OF_A_PARAMETER)
    described = parameter.value.get("schema")
    if described is None:
        described = next((each.value.get("schema", {}) for _, each in parameter.at("content").children()), {})
    return {**kept, "schema": _schema(described)}


def _response(status: str, response: Place) -> dict[str, Any]:
    kept: dict[str, Any] = {"description": status}  # OpenAPI asks for one
    content = _content(response)
    headers = {
        name: _header(header.followed()) for name, header in sorted(response.at("headers").children(), key=_name)
    }
    if content:
        kept["content"] = content
    if headers:
        kept["headers"] = headers
    return kept


def _header(header: Place) -> dict[str, Any]:
    return {"schema": _schema(header.value.get("schema", {}))}


def _content(place: Place) -> dict[str, Any]:
    return {
        kind: {"schema": _schema(media.value["schema"])} if media.value.get("schema") else {}
        for kind, media in sorted(place.at("content").children(), key=_name)
    }


def _schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for name, value in sorted(schema.items()):
        if name in _PROSE or name.startswith("x-"):
            continue
        if name in _SCHEMA:
            kept[name] = _schema(value)
        elif name in _SCHEMAS:
            kept[name] = [_schema(each) for each in value]
        elif name in _NAMED_SCHEMAS:
            kept[name] = {field: _schema(value[field]) for field in sorted(value)}
        elif (name, value) in _WIDTH_OF_A_NUMBER:
            continue
        elif name in ("required", "enum"):
            kept[name] = sorted(value, key=_key) if isinstance(value, list) else value
        else:
            kept[name] = value
    return kept


def _without_prose(value: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in sorted(value.items()) if name != "description"}


def _hoisted(kind: str, holders: list[dict[str, Any]] | list[list[Any]]) -> dict[str, Any]:
    """What stands in several of these operations, named; they refer to it afterwards."""
    often = Counter(_key(part) for holder in holders for _, part in _parts(holder))
    names: dict[str, str] = {}
    hoisted: dict[str, Any] = {}
    for holder in holders:
        for slot, part in _parts(holder):
            key = _key(part)
            if often[key] == 1:
                continue
            if key not in names:
                names[key] = _free_name(part.get("name") or f"Status{slot}", hoisted)
                hoisted[names[key]] = part
            holder[slot] = {"$ref": f"#/components/{kind}/{names[key]}"}
    return hoisted


def _parts(holder: Any) -> list[tuple[Any, dict[str, Any]]]:
    return list(holder.items() if isinstance(holder, dict) else enumerate(holder))


def _free_name(name: str, taken: dict[str, Any]) -> str:
    """A name that a component may have and none has yet."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    variants = (name, *(f"{name}.{number}" for number in range(2, len(taken) + 3)))
    return next(variant for variant in variants if variant not in taken)


def _name(child: tuple[str, Place]) -> str:
    return child[0]


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)

"""Cells of CSV: text that stands for a value of some JSON type, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import orjson

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,99})")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS: Final = {"true": True, "false": False}
JsonTypes = AbstractSet[str]


def guarded(text: str) -> str:
    """The text behind an apostrophe where a spreadsheet would compute it: it begins with `=`, `+`, `-`, `@`, tab or CR.

    Text that begins so behind apostrophes gets one more, so that `unguarded` gives back exactly what there was.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text


def cell(value: Any) -> str:
    """A JSON value as a cell: null is empty, an array or object is its JSON. Text alone is guarded."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    return orjson.dumps(value).decode()


def value_of(text: str, types: JsonTypes) -> Any:
    """The JSON value that a cell stands for, where the field takes `types`. Text that stands for none stays text.

    The schema then says what it expected.
    """
    if "string" in types:
        return text
    if _reads_as_number(text, types):
        return int(text) if _INTEGER.fullmatch(text) else float(text)
    if "boolean" in types and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    return _json(text) if types & {"array", "object"} else text


def _reads_as_number(text: str, types: JsonTypes) -> bool:
    if "number" in types:
        return _NUMBER.fullmatch(text) is not None
    return "integer" in types and _INTEGER.fullmatch(text) is not None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def json_types(schema: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The JSON types that each property of a JSON Schema takes."""
    definitions = schema.get("$defs", {})
    return {name: frozenset(_types(each, definitions)) for name, each in schema.get("properties", {}).items()}


def _types(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> AbstractSet[str]:
    if "$ref" in schema:
        return _types(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    found = {schema["type"]} if isinstance(schema.get("type"), str) else set(schema.get("type", ()))
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        found |= _types(branch, definitions)
    found |= {"string" for each in (*schema.get("enum", ()), schema.get("const")) if isinstance(each, str)}
    return found or {"array", "object"}  # anything: JSON where it reads as such, text otherwise

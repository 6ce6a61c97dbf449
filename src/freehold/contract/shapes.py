"""A JSON Schema as the comparison sees it: the same whichever of its spellings the document uses (OpenAPI 3.0 and 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from freehold.contract.places import Place

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_MERGED = 8  # deep nestings of allOf, before they are left as they are


@dataclass(frozen=True)
class Shape:
    """What values fit. An absent limit is None or empty, and everything fits.

    variants: of which one fits (anyOf, oneOf), null left out. others: further fields, items: of a list; where the schema
    says nothing of them, a place at which nothing stands. limits: the other keywords by name.
    """

    place: Place
    types: frozenset[str] = frozenset()
    is_nullable: bool = False
    values: tuple[Any, ...] | None = None
    fields: dict[str, Place] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    others: Place | None = None
    is_closed: bool = False
    items: Place | None = None
    variants: tuple[Place, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)


def shape_of(place: Place) -> Shape:
    """The shape of the schema at a place; null and single alternatives folded into it."""
    place = _merged(place.followed())
    schema = place.value if isinstance(place.value, dict) else {}
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _of_alternatives(place, [each for _, each in place.at(keyword).children()])
    return _of_one(place, schema)


def _of_alternatives(place: Place, alternatives: list[Place]) -> Shape:
    others = tuple(each for each in alternatives if each.followed().value != {"type": "null"})
    is_nullable = len(others) < len(alternatives)
    if len(others) == 1:
        beside = {name: value for name, value in place.value.items() if name not in ("anyOf", "oneOf")}
        only = others[0].followed()
        shape = shape_of(replace(only, value={**only.value, **beside}))
        return replace(shape, is_nullable=shape.is_nullable or is_nullable)
    return Shape(place, is_nullable=is_nullable, variants=others, limits=_limits(place.value))


def _of_one(place: Place, schema: dict[str, Any]) -> Shape:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    types = schema.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    is_nullable = "null" in types or bool(schema.get("nullable")) or (values is not None and None in values)
    if values is not None:
        values = [value for value in values if value is not None]
        types = types or {_JSON_TYPES[type(value)] for value in values}
    if not types and "properties" in schema:
        types = {"object"}
    others = place.at("additionalProperties")
    return Shape(
        place,
        types=frozenset(types - {"null"}),
        is_nullable=is_nullable,
        values=None if values is None else tuple(values),
        fields=dict(place.at("properties").children()),
        required=frozenset(schema.get("required", ())),
        others=others,
        is_closed=others.value is False,
        items=place.at("items"),
        limits=_limits(schema),
    )


_NOT_LIMITS = {
    "type", "nullable", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf",
    "allOf", "discriminator", "deprecated", "$defs", "$ref",
}  # fmt: skip


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    limits = {name: value for name, value in schema.items() if name not in _NOT_LIMITS}
    for name in ("minLength", "minItems", "minProperties"):
        if limits.get(name) == 0:
            del limits[name]
    if schema.get("type") == "integer":  # one of two spellings
        for name, spelled, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
            if isinstance(limits.get(spelled), int) and not isinstance(limits[spelled], bool):
                limits[name] = limits.pop(spelled) + step
    return limits


def _merged(place: Place, depth: int = 0) -> Place:
    """The parts of an allOf as one schema."""
    if not isinstance(place.value, dict) or "allOf" not in place.value or depth > _MERGED:
        return place
    merged: dict[str, Any] = {name: value for name, value in place.value.items() if name != "allOf"}
    for _, part in place.at("allOf").children():
        for name, value in _merged(part.followed(), depth + 1).value.items():
            if name in ("properties", "$defs"):
                merged[name] = {**value, **merged.get(name, {})}
            elif name == "required":
                merged[name] = sorted({*value, *merged.get(name, ())})
            else:
                merged.setdefault(name, value)
    return replace(place, value=merged)

"""The parameters of an operation, in the contract and now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from freehold.contract.findings import Change
from freehold.contract.places import Place
from freehold.contract.schemas import Comparison

Key = tuple[str, str]

_STYLES = {"query": ("form", True), "cookie": ("form", True), "path": ("simple", False), "header": ("simple", False)}


def compare_parameters(old: Place, new: Place, *, paths: tuple[str, str]) -> Iterator[Change]:
    """paths: the two templates; a path parameter is known by its position, for its name is not on the wire."""
    before, after = _named(old, paths[0]), _named(new, paths[1])
    comparison = Comparison("request")
    for key, was in before.items():
        kind, name = was.value["in"], was.value["name"]
        if key not in after:
            code = "parameter.removed" if kind in ("query", "path") else "parameter.ignored"
            yield Change(code, was.pointer, f"{kind} parameter {name} is gone")
        else:
            yield from _of_one(was, after[key], comparison)
    for key in after.keys() - before.keys():
        kind, name = after[key].value["in"], after[key].value["name"]
        required = bool(after[key].value.get("required"))
        code = "parameter.added_required" if required else "parameter.added"
        yield Change(code, old.pointer, f"{kind} parameter {name} is new{', required' if required else ''}")


def _of_one(old: Place, new: Place, comparison: Comparison) -> Iterator[Change]:
    name = f"{old.value['in']} parameter {old.value['name']}"
    was, is_now = bool(old.value.get("required")), bool(new.value.get("required"))
    if is_now and not was:
        yield Change("parameter.required", old.pointer, f"{name} is required")
    if was and not is_now:
        yield Change("parameter.optional", old.pointer, f"{name} is optional")
    if _style(old) != _style(new):
        yield Change("parameter.style", old.pointer, f"{name} is written in another style")
    yield from comparison.of(old.at("schema"), new.at("schema"), name)


def _style(parameter: Place) -> tuple[str, bool]:
    style, explode = _STYLES[parameter.value["in"]]
    style = parameter.value.get("style", style)
    return style, parameter.value.get("explode", style == "form" if "style" in parameter.value else explode)


def _named(operation: Place, path: str) -> dict[Key, Place]:
    order = re.findall(r"{([^}]+)}", path)
    found = {}
    for _, place in operation.at("parameters").children():
        parameter = place.followed()
        kind, name = parameter.value["in"], parameter.value["name"]
        if kind == "path" and name in order:
            name = str(order.index(name))
        found[kind, name.lower() if kind == "header" else name] = parameter
    return found

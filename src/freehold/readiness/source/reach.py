"""Which functions of the project a function calls, and what it reaches through them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from freehold.readiness.source.index import Function, SourceIndex
from freehold.readiness.source.types import class_of, method_of, type_of

DEPTH = 5
"""Deeper than handler, service, repository, base class, helper is rare."""


def reached(function: Function, index: SourceIndex, *, depth: int = DEPTH) -> list[Function]:
    """The function itself and what it calls in the project, nearest first, each once."""
    found, edge = [function], [function]
    for _ in range(depth):
        edge = [callee for caller in edge for callee in callees(caller, index) if callee not in found]
        edge = list(dict.fromkeys(edge))
        found += edge
    return found


def callees(function: Function, index: SourceIndex) -> Iterator[Function]:
    """The functions of the project that it calls by name, through a module, or on an object whose class is known."""
    for node in function.nodes:
        if isinstance(node, ast.Call):
            found = callee(node, function, index)
            if found and found is not function:
                yield found


def callee(call: ast.Call, function: Function, index: SourceIndex) -> Function | None:
    """The function of the project that a call runs."""
    name = index.names(call.func, function.module)
    if name in index.functions:
        return index.functions[name]
    made = class_of(name, index)
    if made:
        return method_of(made, "__init__", index)
    if isinstance(call.func, ast.Attribute):
        return _method(call.func, function, index)
    return None


def _method(written: ast.Attribute, function: Function, index: SourceIndex) -> Function | None:
    if isinstance(written.value, ast.Name) and written.value.id in {"self", "cls"} and function.owner:
        return method_of(function.owner, written.attr, index)
    owner = class_of(type_of(written.value, function, index), index)
    return method_of(owner, written.attr, index) if owner else None

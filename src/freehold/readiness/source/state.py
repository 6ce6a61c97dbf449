"""State of the process: lists and dictionaries at the top of a module that functions change."""

from __future__ import annotations

import ast

from freehold.readiness.source.index import Function, SourceIndex

_CHANGING = {
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "update",
    "setdefault",
    "add",
    "discard",
}


def mutated(function: Function, index: SourceIndex) -> dict[str, ast.AST]:
    """The module variables that hold a list, a set or a dictionary and are changed in the function, each with one place."""
    found: dict[str, ast.AST] = {}
    for node in function.nodes:
        target = _changed(node)
        if isinstance(target, ast.Name) and target.id not in {*function.parameters, *function.bindings}:
            name = index.names(target, function.module)
            value = index.value(name) if name else None
            if name and value and _is_container(value[1]):
                found.setdefault(name, node)
    return found


def _changed(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        return node.func.value
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.value
    return None


def _is_container(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"list", "dict", "set", "defaultdict", "deque", "OrderedDict"}
    return isinstance(node, ast.List | ast.Dict | ast.Set)

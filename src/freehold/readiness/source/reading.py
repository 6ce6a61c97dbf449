"""Small questions about syntax that many rules ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from freehold.readiness.source.module import Module

LOOPS = (ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def called(node: ast.AST) -> str:
    """The last part of the name of what a call calls: `all` of `rows.all()`. Empty for what is no call."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """An argument that may be given by name or by position."""
    given = keyword(call, name)
    return given if given is not None or len(call.args) <= position else call.args[position]


def text(node: ast.AST | None) -> str | None:
    """The value of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_true(node: ast.AST | None) -> bool:
    """Whether it is the literal True."""
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.AST | None) -> bool:
    """Whether it is the literal False."""
    return isinstance(node, ast.Constant) and node.value is False


def names_in(node: ast.AST) -> set[str]:
    """The plain names that an expression uses."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def last_name(node: ast.AST) -> str:
    """`token` of `request.token` and of `token`; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def status_of(call: ast.Call) -> int | None:
    """The status that an HTTPException or a response is made with, where it is a literal or a constant of `status`."""
    node = argument(call, "status_code", 0)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    digits = last_name(node).split("_")[1:2] if node is not None and last_name(node).startswith("HTTP_") else []
    return int(digits[0]) if digits and digits[0].isdigit() else None


def built_from(node: ast.expr) -> list[ast.expr]:
    """The expressions that a string is put together from: of an f-string, a sum, `%` or `.format`. Empty for others."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        sides = [side for side in (node.left, node.right) if text(side) is None]
        inner = [part for side in sides for part in (built_from(side) or [side])]
        is_text = any(
            text(side) is not None or isinstance(side, ast.JoinedStr) or built_from(side)
            for side in (node.left, node.right)
        )
        return inner if is_text else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        given = [*node.args, *(each.value for each in node.keywords)]
        return given if text(node.func.value) is not None else []
    return []


def runs_at_import(node: ast.AST, module: Module) -> bool:
    """Whether it is evaluated when the module is loaded: outside functions, or as a default value of one."""
    inner = node
    for above in module.above(node):
        if isinstance(above, SCOPES):
            return isinstance(inner, ast.arguments)
        inner = above
    return True


def raises(nodes: Iterator[ast.AST] | list[ast.AST]) -> list[ast.Raise]:
    """The `raise` statements among the nodes."""
    return [node for node in nodes if isinstance(node, ast.Raise)]

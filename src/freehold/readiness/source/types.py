"""The type of an expression, one level deep: from annotations, constructors and `self`. None where that does not tell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from freehold.readiness.source.index import ClassInfo, Function, SourceIndex
from freehold.readiness.source.module import Module

_WRAPPERS = {"Annotated", "Optional", "Mapped", "Final", "ClassVar"}
_GENERATORS = {"Generator", "AsyncGenerator", "Iterator", "AsyncIterator"}


def annotated(node: ast.expr | None, module: Module, index: SourceIndex, *, depth: int = 4) -> str | None:
    """What an annotation names, without Annotated, Optional and None, through aliases of the project."""
    if node is None or not depth:
        return None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return annotated(_parsed(node.value), module, index, depth=depth - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [side for side in (node.left, node.right) if not _is_none(side)]
        return annotated(sides[0], module, index, depth=depth) if len(sides) == 1 else None
    if isinstance(node, ast.Subscript):
        return _subscripted(node, module, index, depth)
    name = index.names(node, module)
    aliased = index.value(name) if name else None
    if aliased and isinstance(aliased[1], ast.Subscript | ast.BinOp | ast.Name | ast.Attribute):
        return annotated(aliased[1], aliased[0], index, depth=depth - 1)
    return name


def type_of(node: ast.expr, function: Function, index: SourceIndex, *, depth: int = 4) -> str | None:
    """The canonical name of an expression's class, as far as the function and what it calls say."""
    if not depth:
        return None
    if isinstance(node, ast.Await):
        return type_of(node.value, function, index, depth=depth)
    if isinstance(node, ast.Call):
        return made_by(node, function.module, index)
    if isinstance(node, ast.Name):
        return _of_name(node, function, index, depth)
    if isinstance(node, ast.Attribute):
        return _of_attribute(node, function, index, depth)
    return None


def made_by(call: ast.Call, module: Module, index: SourceIndex) -> str | None:
    """The class that a call makes an object of: a constructor's, or what a function of the project is said to return."""
    name = index.names(call.func, module)
    if name is None:
        return None
    function = index.functions.get(name)
    if function is None:
        return name
    return annotated(function.node.returns, function.module, index)


def class_of(name: str | None, index: SourceIndex) -> ClassInfo | None:
    """The project's class of a canonical name."""
    return index.classes.get(name) if name else None


def bases(info: ClassInfo, index: SourceIndex, *, depth: int = 5) -> Iterator[str]:
    """The canonical names of a class's bases, the nearest first, through those of the project."""
    for node in info.node.bases if depth else ():
        name = annotated(node, info.module, index) if not isinstance(node, ast.Subscript) else None
        name = name or index.names(node.value if isinstance(node, ast.Subscript) else node, info.module)
        if name:
            yield name
            above = index.classes.get(name)
            if above and above is not info:
                yield from bases(above, index, depth=depth - 1)


def method_of(info: ClassInfo, name: str, index: SourceIndex) -> Function | None:
    """A method by name, also an inherited one of the project."""
    for holder in [info.name, *bases(info, index)]:
        found = index.functions.get(f"{holder}.{name}")
        if found:
            return found
    return None


def _of_name(node: ast.Name, function: Function, index: SourceIndex, depth: int) -> str | None:
    if node.id in function.bindings:
        values = function.bindings[node.id]
        return type_of(values[-1], function, index, depth=depth - 1)
    if node.id in function.parameters:
        parameter = function.parameters[node.id]
        return annotated(parameter.annotation, function.module, index)
    name = index.names(node, function.module)
    value = index.value(name) if name else None
    if value and isinstance(value[1], ast.Call):
        return made_by(value[1], value[0], index)
    return None


def _of_attribute(node: ast.Attribute, function: Function, index: SourceIndex, depth: int) -> str | None:
    if isinstance(node.value, ast.Name) and node.value.id == "self" and function.owner:
        field = function.owner.fields.get(node.attr)
        if isinstance(field, ast.AnnAssign):
            return annotated(field.annotation, function.module, index)
        maker = method_of(function.owner, "__init__", index)
        if maker and maker is not function:
            for given in _set_on_self(maker, node.attr):
                return type_of(given, maker, index, depth=depth - 1)
    name = index.names(node, function.module)
    value = index.value(name) if name else None
    return made_by(value[1], value[0], index) if value and isinstance(value[1], ast.Call) else None


def _set_on_self(maker: Function, attribute: str) -> Iterator[ast.expr]:
    for node in maker.nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and target.attr == attribute:
                    yield node.value


def _subscripted(node: ast.Subscript, module: Module, index: SourceIndex, depth: int) -> str | None:
    outer = (index.names(node.value, module) or "").rpartition(".")[2]
    first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
    if outer in _WRAPPERS | _GENERATORS:
        return annotated(first, module, index, depth=depth - 1)
    return index.names(node.value, module)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None

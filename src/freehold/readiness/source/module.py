"""One source file: its tree, its lines, and what the names in it stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from freehold.readiness.rule import Hit, Place

Node = TypeVar("Node", bound=ast.AST)
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Module:
    """A parsed file. shown: its path in findings. name: its dotted path from the project's root."""

    path: Path
    shown: str
    name: str
    text: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, the first at 0."""
        return self.text.splitlines()

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """What each node stands in."""
        return {child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree."""
        return [self.tree, *self.parents]

    @cached_property
    def imports(self) -> dict[str, str]:
        """Imported names, also those imported inside functions, with what they stand for, dotted."""
        found: dict[str, str] = {}
        for whole in self.each(ast.Import):
            for alias in whole.names:
                first = alias.name.partition(".")[0]
                found |= {alias.asname: alias.name} if alias.asname else {first: first}
        for part in self.each(ast.ImportFrom):
            base = self._base(part)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}".strip(".") for alias in part.names}
        return found

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """What the names at the top of the module are set to, the last time."""
        return {name: value for node in self.tree.body for name, value in assignments(node)}

    @cached_property
    def defined(self) -> set[str]:
        """The names of functions, classes and assignments at the top."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return {node.name for node in self.tree.body if isinstance(node, kinds)} | set(self.assigned)

    @property
    def package(self) -> str:
        """The package that a relative import begins in."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def each(self, kind: type[Node]) -> Iterator[Node]:
        """The nodes of a kind, in no order."""
        return (node for node in self.nodes if isinstance(node, kind))

    def at(self, node: ast.AST) -> Place:
        """Where a node begins; a decorated function begins at its `def`."""
        return Place(self.shown, getattr(node, "lineno", 1))

    def hit(self, node: ast.AST, message: str) -> Hit:
        """A hit at a node."""
        return Hit(self.at(node), message)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def qualified(self, node: ast.AST) -> str | None:
        """`dt.now` under `from datetime import datetime as dt` is `datetime.datetime.now`; None for what is no name."""
        written = dotted(node)
        if written is None:
            return None
        first, _, rest = written.partition(".")
        if first in self.imports:
            first = self.imports[first]
        elif first in self.defined:
            first = f"{self.name}.{first}"
        return f"{first}.{rest}" if rest else first

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.package.split(".")
        kept = package[: len(package) - node.level + 1]
        return ".".join([*kept, *([node.module] if node.module else [])])


def dotted(node: ast.AST) -> str | None:
    """`a.b.c` as written; None where a part is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else None
    return None


def assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The plain names that a statement sets, with the value."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name) and node.value:
        yield node.target.id, node.value

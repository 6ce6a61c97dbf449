"""What a function does with a database session: each use as one chain, from the session to the rows."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from freehold.readiness.source.index import Function, SourceIndex
from freehold.readiness.source.reading import called
from freehold.readiness.source.types import type_of

_SESSION_TYPES = {"Session", "AsyncSession", "Db", "scoped_session", "async_scoped_session"}
_SESSION_PACKAGES = {"sqlalchemy", "sqlmodel", "freehold", "flask_sqlalchemy"}
_SESSION_NAMES = {"db", "session", "db_session", "async_session", "sess"}
_MAKERS = {"sessionmaker", "async_sessionmaker", "scoped_session", "async_scoped_session"}
_EXECUTING = {"execute", "exec", "scalars", "scalar", "stream", "stream_scalars"}
_WRITING = {"add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}
_WRITE_STATEMENTS = {"insert", "update", "delete"}


@dataclass(frozen=True, eq=False)
class Use:
    """One use of a session: `(await db.scalars(select(Book).limit(5))).all()`.

    node: the whole expression. steps: the calls from the session outwards, each with its name.
    """

    function: Function
    node: ast.expr
    steps: Sequence[tuple[str, ast.Call]]

    @property
    def first(self) -> str:
        """What is called on the session itself."""
        return self.steps[0][0]

    @property
    def last(self) -> str:
        """What is called last."""
        return self.steps[-1][0]

    @cached_property
    def statement(self) -> list[ast.AST]:
        """The nodes that make up the statement: the arguments, and what the names in them were set to."""
        found: list[ast.AST] = []
        edge: list[ast.AST] = [self.node]
        seen: set[str] = set()
        while edge:
            nodes = [each for node in edge for each in ast.walk(node)]
            found += nodes
            names = {node.id for node in nodes if isinstance(node, ast.Name)} & set(self.function.bindings) - seen
            seen |= names
            edge = [value for name in names for value in self.function.bindings[name]]
        return found

    def mentions(self, *names: str) -> bool:
        """Whether a method or function of one of these names is called in the statement or on its result."""
        return any(called(node) in names for node in self.statement if isinstance(node, ast.Call))

    @property
    def runs(self) -> bool:
        """Whether it sends a statement to the database at once."""
        return self.first in {*_EXECUTING, "get", "get_one", "query", "refresh"}

    @property
    def writes(self) -> bool:
        """Whether it changes rows: of the session, or by an INSERT, UPDATE or DELETE."""
        if self.first in _WRITING:
            return True
        if self.first == "query":
            return self.last in {"update", "delete"}
        return self.first in _EXECUTING and self._statement_kind() in _WRITE_STATEMENTS

    @property
    def commits(self) -> bool:
        return self.first == "commit"

    def _statement_kind(self) -> str:
        arguments = self.steps[0][1].args
        node: ast.AST = arguments[0] if arguments else ast.Constant(None)
        for _ in range(3):
            while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if called(node) in _WRITE_STATEMENTS and isinstance(node.func.value, ast.Name):
                    return called(node)
                node = node.func.value
            if not (isinstance(node, ast.Name) and node.id in self.function.bindings):
                break
            node = self.function.bindings[node.id][0]
        return called(node)


def uses(function: Function, index: SourceIndex) -> list[Use]:
    """Every use of a database session in the function, by line."""
    found = [use for node in function.nodes if (use := _use(node, function, index))]
    return sorted(found, key=lambda use: (use.node.lineno, use.node.col_offset))


def is_session(node: ast.expr, function: Function, index: SourceIndex) -> bool:
    """Whether an expression is a database session: by its type; by its name where nothing tells the type."""
    kind = type_of(node, function, index)
    if kind is not None:
        root, _, name = kind.partition(".")[0], "", kind.rpartition(".")[2]
        if (name in _SESSION_TYPES and root in _SESSION_PACKAGES) or _is_maker(kind, index):
            return True
        if kind in index.classes or root in {"requests", "httpx", "aiohttp", "boto3"}:
            return False
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in _SESSION_NAMES and bool(index.packages & _SESSION_PACKAGES)


def _is_maker(kind: str, index: SourceIndex) -> bool:
    value = index.value(kind)
    return bool(
        value
        and isinstance(value[1], ast.Call)
        and (index.names(value[1].func, value[0]) or "").rpartition(".")[2] in _MAKERS
    )


def _use(node: ast.AST, function: Function, index: SourceIndex) -> Use | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if _continues(node, function):
        return None
    root, steps = _chain(node)
    if not steps or not is_session(root, function, index):
        return None
    return Use(function, node, steps)


def _continues(node: ast.Call, function: Function) -> bool:
    """Whether the chain goes on outside: `db.query(X)` in `db.query(X).all()`."""
    parents = function.module.parents
    above = parents.get(node)
    while isinstance(above, ast.Await):
        above = parents.get(above)
    return isinstance(above, ast.Attribute) and isinstance(parents.get(above), ast.Call)


def _chain(node: ast.expr) -> tuple[ast.expr, list[tuple[str, ast.Call]]]:
    steps: list[tuple[str, ast.Call]] = []
    while True:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            steps.insert(0, (node.func.attr, node))
            node = node.func.value
        else:
            return node, steps

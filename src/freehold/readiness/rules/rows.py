"""One row under many clients at once: read, decided on, and written; or not there at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import UniqueConstraint, inspect

from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reading import called, last_name, names_in
from freehold.readiness.source.sessions import Use
from freehold.readiness.source.types import type_of

_ONE = {"first", "get", "one_or_none", "scalar", "scalar_one_or_none"}
_LOCKS = ("with_for_update", "populate_existing")
_CHECKS = re.compile(r"ensure|check|require|assert|valid|raise|verify|exists|found|guard", re.IGNORECASE)


@rule(
    "lost-update",
    "A number is read, changed and written back",
    severity=Severity.WARNING,
    why="Two requests read the same value; the second one to write takes the first one's change away.",
    remedy="Let the database add: values(n=Model.n + 1); or read the row with_for_update().",
)
def lost_update(evidence: Evidence) -> Iterator[Hit]:
    """`row.n += 1` on a row that was read without a lock."""
    for function in evidence.serving:
        rows = _rows(function, evidence)
        for node in function.nodes:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
                use = rows.get(last_name(node.target.value))
                if use and not use.mentions(*_LOCKS) and not _is_freehold(use, evidence):
                    yield function.module.hit(node, f"`{ast.unparse(node.target)}` is changed without a lock")


@rule(
    "taken-twice",
    "Two clients can take the same row",
    severity=Severity.ERROR,
    why="Both requests find the row free, both write themselves into it, and both are told that it is theirs.",
    remedy="Read it with_for_update(skip_locked=True), or take it in one UPDATE … WHERE it is still free.",
)
def taken_twice(evidence: Evidence) -> Iterator[Hit]:
    """A row that is found by a condition on a column, and that column then set, without a lock."""
    for function in evidence.serving:
        for name, use in _rows(function, evidence).items():
            if use.mentions(*_LOCKS) or _is_freehold(use, evidence):
                continue
            for node in function.nodes:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                    target = node.targets[0]
                    if last_name(target.value) == name and target.attr in _free_columns(use):
                        yield function.module.hit(
                            node, f"`{ast.unparse(target)}` is set on a row that was read without a lock"
                        )


@rule(
    "association-without-key",
    "The same pair can be there twice",
    severity=Severity.WARNING,
    needs_app=True,
    why="Two requests at once both see that the pair is not there, and both add it: a row is held twice, and given back once.",
    remedy="Make both columns the primary key of the table between, or put a UniqueConstraint over them.",
)
def association_without_key(evidence: Evidence) -> Iterator[Hit]:
    """The table between two others (`relationship(secondary=…)`) has neither a primary key nor a unique constraint."""
    for table in {relation.secondary: None for relation in _many_to_many(evidence)}:
        unique = any(isinstance(each, UniqueConstraint) for each in table.constraints)
        if not unique and not table.primary_key.columns and not any(index.unique for index in table.indexes):
            for module, call, name in evidence.source.calls:
                if name.rpartition(".")[2] == "Table" and call.args and _is_text(call.args[0], table.name):
                    yield module.hit(call, f"nothing keeps a pair in {table.name} from being there twice")


@rule(
    "missing-row-is-500",
    "A row that is not there is a 500",
    severity=Severity.WARNING,
    why="The query gives None for an id that does not exist, and the next line fails on it.",
    remedy="Look at it first: if row is None: raise HTTPException(404).",
)
def missing_row_is_500(evidence: Evidence) -> Iterator[Hit]:
    """A row found by what the client sent, used without a look whether it is there."""
    for function in evidence.serving:
        rows = _rows(function, evidence)
        for name, use in rows.items():
            if use.last not in _ONE or not _asked_by_client(use, function, rows) or _is_checked(name, function):
                continue
            used = _first_use(name, function, use)
            if used is not None:
                yield function.module.hit(used, f"`{name}` may be None here")


def _many_to_many(evidence: Evidence) -> Iterator[Any]:
    for _, info in evidence.tables:
        mapper = inspect(evidence.live(info), raiseerr=False)
        if mapper is not None:
            yield from (relation for relation in mapper.relationships if relation.secondary is not None)


def _is_text(node: ast.expr, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def _rows(function: Function, evidence: Evidence) -> dict[str, Use]:
    """The names that are set once in a function, to one row."""
    nodes = {use.node: use for use in evidence.uses[function] if use.runs and not use.writes}
    found = {}
    for name, values in function.bindings.items():
        value = values[0].value if isinstance(values[0], ast.Await) else values[0]
        if len(values) == 1 and value in nodes and nodes[value].last in _ONE | {"one", "scalar_one", "get_one"}:
            found[name] = nodes[value]
    return found


def _is_freehold(use: Use, evidence: Evidence) -> bool:
    """Freehold's rows carry a version: a change that has been overtaken is refused by itself."""
    root = use.steps[0][1].func
    kind = type_of(root.value, use.function, evidence.source) if isinstance(root, ast.Attribute) else None
    return (kind or "").startswith("freehold.")


def _free_columns(use: Use) -> set[str]:
    """The columns that the statement compares with None, True, False or a literal."""
    found = set()
    for node in use.statement:
        if isinstance(node, ast.Compare) and isinstance(node.comparators[0], ast.Constant):
            found.add(last_name(node.left))
        elif isinstance(node, ast.Call) and called(node) == "is_" and isinstance(node.func, ast.Attribute):
            found.add(last_name(node.func.value))
        elif called(node) == "filter_by" and isinstance(node, ast.Call):
            found |= {each.arg for each in node.keywords if each.arg and isinstance(each.value, ast.Constant)}
    return found - {""}


def _said(use: Use, rows: dict[str, Use]) -> Iterator[ast.AST]:
    """The nodes of the statement, without those of the rows that it is about."""
    foreign = {node for row in rows.values() if row is not use for node in ast.walk(row.node)}
    return (node for node in use.statement if node not in foreign)


def _asked_by_client(use: Use, function: Function, rows: dict[str, Use]) -> bool:
    names = {node.id for node in _said(use, rows) if isinstance(node, ast.Name)}
    session = names_in(use.steps[0][1].func)
    return bool(names & set(function.parameters) - session - {"self", "cls"})


def _is_checked(name: str, function: Function) -> bool:
    """Whether the name stands by itself in a condition, or goes to a function that may look."""
    for node in function.nodes:
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert) and _bare(node.test, name):
            return True
        if isinstance(node, ast.Match) and name in names_in(node.subject):
            return True
        if isinstance(node, ast.BoolOp | ast.Compare | ast.UnaryOp) and _bare(node, name):
            return True
        if isinstance(node, ast.Call) and _CHECKS.search(called(node)) and any(_bare(each, name) for each in node.args):
            return True
        if isinstance(node, ast.Try) and any(
            each.type and "AttributeError" in ast.unparse(each.type) for each in node.handlers
        ):
            return True
    return False


def _bare(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name
    if isinstance(node, ast.NamedExpr):
        return node.target.id == name
    if isinstance(node, ast.BoolOp):
        return any(_bare(each, name) for each in node.values)
    if isinstance(node, ast.Compare):
        return any(_bare(each, name) for each in [node.left, *node.comparators])
    if isinstance(node, ast.UnaryOp):
        return _bare(node.operand, name)
    return (
        isinstance(node, ast.Call)
        and called(node) in {"bool", "isinstance"}
        and any(_bare(each, name) for each in node.args)
    )


def _first_use(name: str, function: Function, use: Use) -> ast.AST | None:
    for node in function.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
            if node.lineno >= use.node.lineno:
                return node
        if isinstance(node, ast.Call) and called(node) == "delete" and any(_bare(each, name) for each in node.args):
            return node
    return None

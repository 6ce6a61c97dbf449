"""Transactions: when they are committed, what becomes of their errors, and what is kept outside of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sqlalchemy import Table, UniqueConstraint

from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reading import called, keyword, last_name, names_in, raises, status_of, text
from freehold.readiness.source.sessions import Use
from freehold.readiness.source.state import mutated

_SHARED_ON_PURPOSE = re.compile(
    r"cache|registr|handler|connect|client|listener|subscri|manager|lock|seen|metric", re.IGNORECASE
)


@rule(
    "commit-after-answer",
    "The commit comes after the answer",
    severity=Severity.ERROR,
    why="A dependency goes on after `yield` when the answer is already sent: the client is told 200 of what then fails.",
    remedy="Commit in the handler, or declare the dependency with scope='function', which ends before the answer.",
)
def commit_after_answer(evidence: Evidence) -> Iterator[Hit]:
    """A generator that is a dependency and commits after its `yield`, or on leaving a block that holds it."""
    for function in evidence.source.functions.values():
        pauses = [node for node in function.nodes if isinstance(node, ast.Yield)]
        if not pauses or not _is_dependency(function, evidence):
            continue
        last = max(node.lineno for node in pauses)
        for use in evidence.uses[function]:
            if use.commits and use.node.lineno > last:
                yield function.module.hit(use.node, f"{function.called} commits after the answer was sent")
        for node in function.nodes:
            if isinstance(node, ast.AsyncWith | ast.With) and any(
                called(item.context_expr) == "begin" for item in node.items
            ):
                if any(isinstance(part, ast.Yield) for part in ast.walk(node)):
                    yield function.module.hit(node, f"{function.called} commits after the answer was sent")


@rule(
    "unique-by-check",
    "Uniqueness is looked up, not enforced",
    severity=Severity.WARNING,
    needs_app=True,
    why="Two requests at one moment both find nothing, and both insert.",
    remedy="Put a unique constraint on the column, and turn its breach into a 409.",
)
def unique_by_check(evidence: Evidence) -> Iterator[Hit]:
    """A query by one column, a refusal if it finds something, an insert; and the column is not unique."""
    free = {
        f"{info.name}.{key}"
        for table, info in evidence.tables
        for key, _ in table.columns.items()
        if not _is_unique(table, key)
    }
    for function in evidence.serving:
        if not any(use.first == "add" for use in evidence.uses_reached(function)):
            continue
        for use in evidence.uses[function]:
            column = _looked_up(use, evidence)
            if column in free and _refuses_if_found(use, function):
                yield function.module.hit(
                    use.node, f"{column.rpartition('.')[2]} is looked up before an insert and is not unique"
                )


@rule(
    "database-error-swallowed",
    "A database error is taken for something else",
    severity=Severity.ERROR,
    why="Every failure, a lost connection too, is told as the one that was thought of, and the session is left unusable.",
    remedy="Catch sqlalchemy.exc.IntegrityError, roll back, and let everything else through.",
)
def database_error_swallowed(evidence: Evidence) -> Iterator[Hit]:
    """A bare or general `except` around a write that answers with a 4xx or goes on without a word."""
    for function in evidence.source.functions.values():
        saved = {use.node for use in evidence.uses[function] if use.writes or use.commits or use.first == "flush"}
        for node in function.nodes:
            if isinstance(node, ast.Try) and saved & {part for each in node.body for part in ast.walk(each)}:
                for handler in node.handlers:
                    general = handler.type is None or ast.unparse(handler.type) in {"Exception", "BaseException"}
                    if general and _mistakes(handler):
                        message = "any database error is handled as if it were the expected one"
                        yield function.module.hit(handler, message)


@rule(
    "id-from-count",
    "An id is the largest one plus one",
    severity=Severity.WARNING,
    why="Two requests get the same id, and after a deletion an id means another thing than it did.",
    remedy="Let the database number rows, or use UUIDs.",
)
def id_from_count(evidence: Evidence) -> Iterator[Hit]:
    """`max(…) + 1` or `len(…) + 1` that becomes an id."""
    for module in evidence.source:
        for node in module.each(ast.BinOp):
            counted = isinstance(node.op, ast.Add) and isinstance(node.right, ast.Constant) and node.right.value == 1
            if (
                counted
                and any(called(part) in {"max", "len"} for part in ast.walk(node.left))
                and _becomes_id(node, module.parents)
            ):
                yield module.hit(node, "an id is reckoned from what is there")


@rule(
    "state-in-process",
    "Data lives in the memory of one process",
    severity=Severity.WARNING,
    needs_app=True,
    why="It is gone at each restart, and with two workers each one tells another truth.",
    remedy="Keep it in the database, or in Redis where it may be lost.",
)
def state_in_process(evidence: Evidence) -> Iterator[Hit]:
    """A list, set or dictionary at the top of a module that a handler changes, and that is no cache."""
    for operation in evidence.operations:
        for name in mutated(operation.function, evidence.source):
            found = evidence.source.value(name)
            if found and not _SHARED_ON_PURPOSE.search(name.rpartition(".")[2]):
                yield found[0].hit(found[1], f"`{name.rpartition('.')[2]}` is changed by requests")


def _is_dependency(function: Function, evidence: Evidence) -> bool:
    if any("contextmanager" in ast.unparse(each) for each in function.node.decorator_list):
        return False
    if function.name in evidence.source.depended_on:
        return text(keyword(evidence.source.depended_on[function.name], "scope")) != "function"
    overrides = (
        node for node in function.module.each(ast.Assign) if "dependency_overrides" in ast.unparse(node.targets[0])
    )
    return any(last_name(node.value) == function.called for node in overrides)


def _is_unique(table: Table, key: str) -> bool:
    column = table.columns[key]
    held = [
        each.name
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
        for each in constraint.columns
    ]
    held += [each.name for index in table.indexes if index.unique for each in index.columns]
    return bool(column.unique or column.primary_key or column.name in held)


def _looked_up(use: Use, evidence: Evidence) -> str:
    """The one column that a statement asks for by equality, as `module.Class.column`; empty for other statements."""
    compared = [node for node in use.statement if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq)]
    if len(compared) != 1 or not use.runs or use.writes:
        return ""
    return evidence.source.names(compared[0].left, use.function.module) or ""


def _refuses_if_found(use: Use, function: Function) -> bool:
    names = {name for name, values in function.bindings.items() if any(use.node in ast.walk(value) for value in values)}
    for node in function.nodes:
        if isinstance(node, ast.If) and raises([part for each in node.body for part in ast.walk(each)]):
            positive = not isinstance(node.test, ast.UnaryOp) and " is None" not in ast.unparse(node.test)
            if positive and (names_in(node.test) & names or use.node in ast.walk(node.test)):
                return True
    return False


def _mistakes(handler: ast.ExceptHandler) -> bool:
    """Whether it answers with a 4xx, or says nothing at all: neither raises, nor calls anything that might tell."""
    nodes = [part for statement in handler.body for part in ast.walk(statement)]
    thrown = raises(nodes)
    if not thrown:
        return not any(isinstance(node, ast.Call) for node in nodes)
    statuses = [status_of(node.exc) for node in thrown if isinstance(node.exc, ast.Call)]
    return len(statuses) == len(thrown) and all(status is not None and status < 500 for status in statuses)


def _becomes_id(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while node in parents:
        above = parents[node]
        if isinstance(above, ast.keyword):
            return above.arg == "id"
        if isinstance(above, ast.Assign):
            return any(re.fullmatch(r"(?:.*_)?id", last_name(target) or _key(target)) for target in above.targets)
        if isinstance(above, ast.Dict):
            return any(
                value is node and text(key) == "id" for key, value in zip(above.keys, above.values, strict=True) if key
            )
        if isinstance(above, ast.stmt):
            return False
        node = above
    return False


def _key(target: ast.AST) -> str:
    return (text(target.slice) or "") if isinstance(target, ast.Subscript) else ""

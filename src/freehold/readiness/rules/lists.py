"""Lists: how many rows leave the database, and who sorts, filters and joins them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeGuard, get_origin

from freehold.readiness.app.operations import Operation
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import Function
from freehold.readiness.source.reach import callee
from freehold.readiness.source.reading import LOOPS, built_from, called, names_in
from freehold.readiness.source.sessions import Use
from freehold.readiness.source.state import mutated

_BOUNDED = (
    "limit", "fetch", "first", "one", "one_or_none", "scalar_one", "scalar_one_or_none", "fetchmany", "fetchone", "slice",
    "paginate", "in_", "count", "sum", "group_by", "get", "yield_per",
)  # fmt: skip
_SIZES = {"limit", "size", "page_size", "per_page", "pagesize", "perpage", "first", "take", "top"}
_EAGER = ("options", "selectinload", "joinedload", "subqueryload", "contains_eager", "immediateload")


@rule(
    "unbounded-list",
    "A list without an end",
    severity=Severity.WARNING,
    needs_app=True,
    why="It is fast with the ten rows of development; with a million it takes the memory and the time of everybody else.",
    remedy="Give it pages with a maximum, and put the limit into the SQL.",
)
def unbounded_list(evidence: Evidence) -> Iterator[Hit]:
    """A GET of a collection that reads all rows, or hands out a list that stands in the module and grows."""
    grown = {name for function in evidence.serving for name in mutated(function, evidence.source)}
    for operation in evidence.operations:
        if operation.method != "GET" or "{" in operation.path or not _is_list(operation):
            continue
        use = next((use for use in evidence.uses_reached(operation.function) if _reads_all(use)), None)
        if use is not None or _hands_out(operation, evidence, grown):
            at = f" at {use.function.module.at(use.node)}" if use else ""
            yield operation.hit(f"{operation.title} answers with every row there is{at}")


@rule(
    "page-size-unbounded",
    "A page may be as long as the client likes",
    severity=Severity.WARNING,
    needs_app=True,
    why="`?limit=10000000` is the unbounded list again, on demand.",
    remedy="Say the maximum: Annotated[int, Query(ge=1, le=100)].",
)
def page_size_unbounded(evidence: Evidence) -> Iterator[Hit]:
    """A whole number in the query named after a page's size, without an upper bound, which no min() cuts."""
    for operation in evidence.operations:
        for field in operation.query:
            if field.name.lower() in _SIZES and int in field.kinds and not field.bounds & {"le", "lt"}:
                if not _is_cut(field.name, evidence.reached(operation.function)):
                    yield operation.hit(f"{operation.title}: `{field.name}` has no maximum")


@rule(
    "rows-handled-in-python",
    "Rows are sorted, filtered, counted or cut in Python",
    severity=Severity.WARNING,
    why="All rows are read and built so that most can be thrown away; the database has an index for that.",
    remedy="Say it in the statement: order_by, where, limit, func.count.",
)
def rows_handled_in_python(evidence: Evidence) -> Iterator[Hit]:
    """sorted, .sort, a comprehension with `if`, len or a slice over all rows of a statement without limit."""
    for function in evidence.serving:
        rows = _row_lists(function, evidence, (*_BOUNDED, "with_for_update"))  # locked ones are read for the lock
        once = {name for name in rows if [each.id for each in function.nodes if _is_read(each)].count(name) == 1}
        for node in function.nodes:
            said = _handled(node, rows, once)
            if said:
                yield function.module.hit(node, f"all rows are read, then {said} in Python")


@rule(
    "query-in-loop",
    "A query for each row",
    severity=Severity.WARNING,
    why="A list of a hundred rows costs a hundred and one round trips; it gets slower with every row that is added.",
    remedy="Ask once: a join, selectinload, or where(column.in_(ids)).",
)
def query_in_loop(evidence: Evidence) -> Iterator[Hit]:
    """A statement inside a loop over rows that depends on the row, also one in a function called there."""
    for function in evidence.serving:
        for use in evidence.uses[function]:
            if use.runs and not use.writes and _loop_around(use.node, function):
                yield function.module.hit(use.node, "this query runs once for each turn of the loop")
        for node in function.nodes:
            if isinstance(node, ast.Call) and _loop_around(node, function):
                inner = callee(node, function, evidence.source)
                if inner and _only_reads(evidence.uses[inner]):
                    yield function.module.hit(node, f"{inner.called} queries, once for each turn of the loop")


@rule(
    "lazy-load-in-loop",
    "A relation is loaded row by row",
    severity=Severity.WARNING,
    why="Each row's relation is a query of its own, which the source does not show; in async code it is an error instead.",
    remedy="Load it with the rows: select(…).options(selectinload(Model.relation)), or count in SQL.",
)
def lazy_load_in_loop(evidence: Evidence) -> Iterator[Hit]:
    """A relationship of the rows of a statement without loader options, read in a loop or a sort key."""
    relations = _lazy_relations(evidence)
    for function in evidence.serving:
        rows = _row_lists(function, evidence, _EAGER)
        for node, names in _turns(function, rows):
            for part in ast.walk(node):
                if isinstance(part, ast.Attribute) and part.attr in relations:
                    if isinstance(part.value, ast.Name) and part.value.id in names:
                        yield function.module.hit(part, f"`{part.attr}` is loaded anew for each row")


@rule(
    "like-unescaped",
    "A search text is a pattern",
    severity=Severity.NOTE,
    why="A `%` or `_` in what people type matches anything, and `%` alone reads the whole table past every index.",
    remedy="Use column.icontains(text, autoescape=True).",
)
def like_unescaped(evidence: Evidence) -> Iterator[Hit]:
    """Like or ilike with a pattern put together from a variable, without escaping."""
    for function in evidence.serving:
        for node in function.nodes:
            if isinstance(node, ast.Call) and called(node) in {"like", "ilike"} and node.args:
                if not any(each.arg == "escape" for each in node.keywords) and _is_open_pattern(node.args[0], function):
                    yield function.module.hit(node, "the pattern is put together from text that is not escaped")


def _is_list(operation: Operation) -> bool:
    """Whether it answers with rows: a list, a schema around a list of items, or nothing that is declared."""
    returned = operation.returned
    if returned is None or get_origin(returned) in {list, Sequence}:
        return True
    fields = {field.name for field in operation.response if list in [get_origin(kind) for kind in field.kinds]}
    return bool(fields & {"items", "results", "data", "rows"})


def _reads_all(use: Use) -> bool:
    asks = use.first == "query" or use.mentions("select")
    return (
        asks
        and use.last not in {"get", "scalar"}
        and use.first != "scalar"
        and not use.mentions(*_BOUNDED)
        and not use.writes
    )


def _hands_out(operation: Operation, evidence: Evidence, grown: set[str]) -> bool:
    function = operation.function
    for node in function.nodes:
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Name):
            if evidence.source.names(node.value, function.module) in grown:
                return True
    return False


def _is_cut(name: str, functions: list[Function]) -> bool:
    return any(
        (called(node) == "min" and name in names_in(node)) or (isinstance(node, ast.Compare) and name in names_in(node))
        for function in functions
        for node in function.nodes
    )


def _row_lists(function: Function, evidence: Evidence, unless: tuple[str, ...] = _BOUNDED) -> set[str]:
    """The names of lists of rows, read by statements that mention none of the given calls."""
    nodes = {use.node: use for use in evidence.uses[function] if use.first in {"query", "execute", "exec", "scalars"}}
    found = set()
    for name, values in function.bindings.items():
        for value in values:
            inner = _unwrapped(value)
            use = nodes.get(inner)
            if use and (use.last in {"all", "scalars"}) and not use.mentions(*unless):
                found.add(name)
    return found


def _unwrapped(node: ast.expr) -> ast.expr:
    """The expression inside `await` and `list(…)`."""
    while True:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Call) and called(node) == "list" and node.args:
            node = node.args[0]
        else:
            return node


def _is_read(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _handled(node: ast.AST, rows: set[str], once: set[str]) -> str:
    """once: those of the rows that nothing else looks at: what is filtered for one use may be wanted whole for another."""
    if isinstance(node, ast.Call):
        first = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""
        if called(node) == "sorted" and first in rows:
            return "sorted"
        if called(node) == "sort" and isinstance(node.func, ast.Attribute) and names_in(node.func) & rows:
            return "sorted"
    if isinstance(node, ast.ListComp) and node.generators[0].ifs and names_in(node.generators[0].iter) & once:
        return "filtered" if isinstance(node.generators[0].iter, ast.Name) else ""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.value, ast.Name):
        return "cut" if node.value.id in rows else ""
    return ""


def _only_reads(uses: Sequence[Use]) -> bool:
    """What writes row by row has each row's own work to do; what reads could have asked once."""
    writes = any(use.writes or use.first in {"flush", "commit"} for use in uses)
    return not writes and any(use.runs for use in uses)


def _loop_around(node: ast.AST, function: Function) -> bool:
    """Whether it stands in a loop, depends on what the loop runs over, and is not what it runs over."""
    inner = node
    for above in function.module.above(node):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return False
        if isinstance(above, LOOPS) and _depends(node, above, inner):
            return True
        inner = above
    return False


_SMALL = ast.Tuple | ast.List | ast.Set | ast.Constant


def _depends(node: ast.AST, loop: ast.AST, inner: ast.AST) -> bool:
    if isinstance(loop, ast.For | ast.AsyncFor):
        return (
            inner is not loop.iter
            and not isinstance(loop.iter, _SMALL)
            and bool(names_in(loop.target) & names_in(node))
        )
    generators: list[ast.comprehension] = getattr(loop, "generators", [])
    targets = {name for each in generators if not isinstance(each.iter, _SMALL) for name in names_in(each.target)}
    first = bool(generators) and any(part is node for part in ast.walk(generators[0].iter))
    return not first and bool(targets & names_in(node))


def _turns(function: Function, rows: set[str]) -> Iterator[tuple[ast.AST, set[str]]]:
    """Loops over the lists of rows, and sort keys of them, with the names that a row has there."""
    for node in function.nodes:
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Name) and node.iter.id in rows:
            yield node, names_in(node.target)
        elif isinstance(node, ast.ListComp) and isinstance(node.generators[0].iter, ast.Name):
            if node.generators[0].iter.id in rows:
                yield node, names_in(node.generators[0].target)
        elif called(node) in {"sort", "sorted"} and isinstance(node, ast.Call):
            source = node.func.value if isinstance(node.func, ast.Attribute) else (node.args or [node.func])[0]
            key = next((each.value for each in node.keywords if each.arg == "key"), None)
            if names_in(source) & rows and isinstance(key, ast.Lambda):
                yield key, {argument.arg for argument in key.args.args}


def _lazy_relations(evidence: Evidence) -> set[str]:
    found = set()
    for info in evidence.source.classes.values():
        for name, statement in info.fields.items():
            if called(statement.value or statement) in {"relationship", "Relationship"} and isinstance(
                statement.value, ast.Call
            ):
                if not any(each.arg in {"lazy", "sa_relationship_kwargs"} for each in statement.value.keywords):
                    found.add(name)
    return found


def _is_open_pattern(node: ast.expr, function: Function) -> bool:
    if isinstance(node, ast.Name):
        values = function.bindings.get(node.id, [])
        return any(_is_open_pattern(value, function) for value in values if not isinstance(value, ast.Name))
    parts = built_from(node)
    escaped = any(
        "replace(" in ast.unparse(value) or "escape" in ast.unparse(value) for value in _all_of(parts, function)
    )
    return bool(parts) and not escaped


def _all_of(parts: list[ast.expr], function: Function) -> Iterator[ast.expr]:
    for part in parts:
        yield part
        for name in names_in(part):
            yield from function.bindings.get(name, ())

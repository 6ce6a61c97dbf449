"""Tables and schemas: money, time, lengths, numbers, indexes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, get_origin

from sqlalchemy import DateTime, Float, PrimaryKeyConstraint, Table, UniqueConstraint, inspect

from freehold.readiness.app.fields import Field
from freehold.readiness.evidence import Evidence
from freehold.readiness.rule import Hit, Severity, rule
from freehold.readiness.source.index import ClassInfo
from freehold.readiness.source.reading import called, runs_at_import

_MONEY = re.compile(
    r"(?:.*_)?(?:price|amount|cost|balance|salary|fees?|fine|deposit|refund|wage|revenue|subtotal|grand_total)"
    r"(?:_(?:total|paid|due|usd|eur|gbp|net|gross))?",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"(?:.*_)?(?:date|datetime|timestamp|birthday|dob|deadline)|.*_at", re.IGNORECASE)
_COUNT = re.compile(r"(?:.*_)?(?:quantity|qty|count|stock|copies|seats|guests|pages)", re.IGNORECASE)
_NOW = {"now", "utcnow", "today"}
_CLOCKS = {f"datetime.{kind}.{name}" for kind in ("datetime", "date") for name in _NOW} | {
    "time.time",
    "uuid.uuid4",
    "uuid.uuid1",
}
_NAIVE = {"datetime.datetime.utcnow", "datetime.datetime.utcfromtimestamp"}


@rule(
    "float-money",
    "Money is a floating-point number",
    severity=Severity.ERROR,
    needs_app=True,
    why="0.1 + 0.2 is not 0.3: sums are off by a cent, and nobody finds out where.",
    remedy="Keep whole minor units (cents) in an integer, or use Numeric and Decimal; name the currency beside it.",
)
def float_money(evidence: Evidence) -> Iterator[Hit]:
    """A Float column, or a float in a body or an answer, that is named after money."""
    for table, info in evidence.tables:
        for key, column in table.columns.items():
            if isinstance(column.type, Float) and _MONEY.fullmatch(key):
                yield _at_column(info, key, f"{info.node.name}.{key} is a float")
    for operation in evidence.offered:
        for field in [*operation.body, *operation.response]:
            if float in field.kinds and _MONEY.fullmatch(field.name):
                yield from _at_field(evidence, field, "is a float")


@rule(
    "naive-datetime-column",
    "A column keeps times without a zone",
    severity=Severity.NOTE,
    needs_app=True,
    why="What was written in one zone is read in another: off by hours, and twice a year ambiguous.",
    remedy="Use DateTime(timezone=True), and aware values in UTC.",
)
def naive_datetime_column(evidence: Evidence) -> Iterator[Hit]:
    """A DateTime column without `timezone=True`, and no type of one's own around it."""
    for table, info in evidence.tables:
        naive = [key for key, column in table.columns.items() if _is_naive(column.type)]
        if naive:
            yield _at_column(info, naive[0], f"{info.node.name}: {', '.join(naive)} without a time zone")


@rule(
    "naive-now",
    "The clock is read without a zone",
    severity=Severity.NOTE,
    why="It compares wrongly with times from elsewhere, or raises TypeError against aware ones.",
    remedy="Use datetime.now(UTC).",
)
def naive_now(evidence: Evidence) -> Iterator[Hit]:
    """datetime.utcnow(), or datetime.now() without a zone, where requests are answered or rows get their defaults."""
    serving = {id(node) for function in evidence.serving for node in function.nodes}
    for module, call, name in evidence.source.calls:
        bare = name == "datetime.datetime.now" and not call.args and not call.keywords
        if (name in _NAIVE or bare) and (id(call) in serving or runs_at_import(call, module)):
            yield module.hit(call, f"{ast.unparse(call)} has no time zone")


@rule(
    "clock-at-import",
    "A default is reckoned once, at import",
    severity=Severity.ERROR,
    why="Every row gets the moment at which the process started.",
    remedy="Give the function, not its result: default=lambda: datetime.now(UTC), default_factory=…, or server_default=func.now().",
)
def clock_at_import(evidence: Evidence) -> Iterator[Hit]:
    """now(), today() or uuid4() called inside `default=`, as a field's value or as a parameter's default."""
    for module, call, name in evidence.source.calls:
        if name in _CLOCKS and runs_at_import(call, module) and _is_default(call, module.above(call)):
            yield module.hit(call, f"{ast.unparse(call)} is evaluated once, when the module is loaded")


@rule(
    "foreign-key-unindexed",
    "A foreign key that is asked for has no index",
    severity=Severity.NOTE,
    needs_app=True,
    why="Each time somebody asks what belongs to a row, the whole table is read.",
    remedy="Add index=True to the column, and a migration.",
)
def foreign_key_unindexed(evidence: Evidence) -> Iterator[Hit]:
    """A column with a foreign key that no index begins with, by which a collection is loaded, or which a statement
    compares without comparing an indexed column beside it.
    """
    indexed = {f"{info.name}.{key}" for table, info in evidence.tables for key in _leading_keys(table)}
    asked = _collected(evidence).union(*(group for group in _compared(evidence) if not group & indexed))
    for table, info in evidence.tables:
        for key, column in table.columns.items():
            name = f"{info.name}.{key}"
            if column.foreign_keys and name in asked - indexed:
                yield _at_column(info, key, f"{info.node.name}.{key} has no index")


@rule(
    "date-as-string",
    "A date is taken as text",
    severity=Severity.WARNING,
    needs_app=True,
    why="'soon', '31/02/24' and '2024-2-3' are all stored, sort wrongly and cannot be compared.",
    remedy="Declare it as date or datetime; Pydantic refuses what is none.",
)
def date_as_string(evidence: Evidence) -> Iterator[Hit]:
    """A plain string in a body that is named after a date."""
    for operation in evidence.offered:
        for field in operation.body:
            if field.kinds == (str,) and _MOMENT.fullmatch(field.name) and "pattern" not in field.bounds:
                yield from _at_field(evidence, field, "is text and not a date")


@rule(
    "unbounded-string",
    "Text of any length is taken",
    severity=Severity.NOTE,
    needs_app=True,
    why="One request stores a gigabyte, or fails in the database on a column that is shorter, which is a 500.",
    remedy="Say how long it may be: Annotated[str, Field(max_length=…)].",
)
def unbounded_string(evidence: Evidence) -> Iterator[Hit]:
    """Strings in the body of a write without max_length or pattern; one finding for each schema."""
    for operation in evidence.operations:
        if operation.reads:
            continue
        for model in {field.owner: None for field in operation.body if field.owner}:
            fields = [each for each in operation.body if each.owner is model and str in each.kinds]
            open_ended = [each for each in fields if not each.bounds & {"max_length", "pattern"}]
            if open_ended and model is not None:
                names = ", ".join(each.name for each in open_ended)
                place = evidence.place_of(model, open_ended[0].name)
                if place:
                    yield Hit(place, f"{model.__name__}: {names} without max_length", f"{model.__name__}: {names}")


@rule(
    "negative-count",
    "A count may be negative",
    severity=Severity.WARNING,
    needs_app=True,
    why="A quantity of -5 is an order that pays the customer.",
    remedy="Say the least value: Annotated[int, Field(ge=0)].",
)
def negative_count(evidence: Evidence) -> Iterator[Hit]:
    """A whole number in a body named after a count, without a lower bound."""
    for operation in evidence.offered:
        for field in operation.body:
            if int in field.kinds and _COUNT.fullmatch(field.name) and not field.bounds & {"ge", "gt"}:
                yield from _at_field(evidence, field, "may be negative")


@rule(
    "orm-mode-deprecated",
    "Pydantic's old way to read objects",
    severity=Severity.NOTE,
    why="from_orm and orm_mode are names of Pydantic 1: the one is deprecated, the other is ignored.",
    remedy="Use model_validate, and model_config = ConfigDict(from_attributes=True).",
)
def orm_mode_deprecated(evidence: Evidence) -> Iterator[Hit]:
    """`.from_orm(…)` and `orm_mode = True`."""
    for module in evidence.source:
        for node in module.nodes:
            if called(node) == "from_orm":
                yield module.hit(node, "from_orm is deprecated since Pydantic 2")
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id == "orm_mode"
            ):
                yield module.hit(node, "orm_mode does nothing since Pydantic 2")


@rule(
    "body-undeclared",
    "A body of any shape is taken",
    severity=Severity.WARNING,
    needs_app=True,
    why="Nothing is checked: a missing key is a 500, an unexpected one is stored, and the document tells clients nothing.",
    remedy="Declare a Pydantic model for the body.",
)
def body_undeclared(evidence: Evidence) -> Iterator[Hit]:
    """A write whose body is a plain dictionary or Any. Inbound webhooks, which are verified by their raw bytes, are left out."""
    for operation in evidence.operations:
        if not operation.reads and not re.search(r"hook|callback", operation.path):
            for field in operation.body:
                if field.owner is None and field.kinds and all(_is_shapeless(kind) for kind in field.kinds):
                    yield operation.hit(f"{operation.title} takes `{field.name}` of any shape")


def _at_column(info: ClassInfo, key: str, message: str) -> Hit:
    return Hit(info.module.at(info.fields.get(key, info.node)), message, f"{info.node.name}.{key}")


def _at_field(evidence: Evidence, field: Field, message: str) -> Iterator[Hit]:
    place = evidence.place_of(field.owner, field.name) if field.owner else None
    if place and field.owner:
        name = f"{field.owner.__name__}.{field.name}"
        yield Hit(place, f"{name} {message}", name)


def _is_shapeless(kind: Any) -> bool:
    return kind in {dict, Any} or get_origin(kind) is dict


def _is_naive(kind: object) -> bool:
    return isinstance(kind, DateTime) and not kind.timezone


def _is_default(call: ast.Call, above: Iterator[ast.AST]) -> bool:
    for node in above:
        if isinstance(node, ast.keyword):
            return node.arg in {"default", "insert_default", "onupdate", "server_default"}
        if isinstance(node, ast.arguments):
            return True
        if isinstance(node, ast.AnnAssign):
            return True
        if isinstance(node, ast.stmt):
            return False
    return False


def _compared(evidence: Evidence) -> Iterator[set[str]]:
    """For each where(…), the columns that have to equal something, as `module.Class.column`; those inside or_ do not."""
    for module in evidence.source:
        for node in module.each(ast.Call):
            if called(node) in {"where", "filter"}:
                sides = [side for each in node.args if (side := _equal(each))]
                yield {name for side in sides if (name := evidence.source.names(side, module))}


def _equal(node: ast.expr) -> ast.expr | None:
    """The column of `column == value` and of `column.in_(values)`."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
        return node.left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "in_":
        return node.func.value
    return None


def _collected(evidence: Evidence) -> set[str]:
    """The columns by which relationships load many rows, as `module.Class.column`."""
    infos = dict(evidence.tables)
    found = set()
    for info in infos.values():
        for relation in inspect(evidence.live(info)).relationships:
            for _, column in relation.local_remote_pairs or () if relation.uselist else ():
                if column.table in infos:
                    found.add(f"{infos[column.table].name}.{column.key}")
    return found


def _leading_keys(table: Table) -> set[str]:
    """The columns that an index can be asked by."""
    keys = [each for each in table.constraints if isinstance(each, UniqueConstraint | PrimaryKeyConstraint)]
    first = {next(iter(each.columns)).name for each in [*table.indexes, *keys] if len(each.columns)}
    return {key for key, column in table.columns.items() if column.name in first or column.index or column.unique}

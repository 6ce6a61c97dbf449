"""Operations of a migration that would keep everybody from a table of many rows, each with the way that does not.

A migration is read, not run: `freehold migrate make` tells what it has written, and `up` refuses on PostgreSQL where one of
these tables really holds many rows. Tables that the same run creates are empty, and not meant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

MANY_ROWS: Final = 10_000
"""Fewer are read or written through in some milliseconds."""

_CONCURRENTLY: Final = (
    "with op.get_context().autocommit_block(): op.create_index(…, postgresql_concurrently=True, if_not_exists=True), in a "
    "migration of its own"
)
_BY_CHECK: Final = (
    "op.create_check_constraint(…, '<column> IS NOT NULL', postgresql_not_valid=True), in the next migration VALIDATE "
    "CONSTRAINT, and only then nullable=False, which finds it proven"
)
_LATER: Final = (
    "postgresql_not_valid=True, and in the next migration: ALTER TABLE … VALIDATE CONSTRAINT, which lets others write"
)


@dataclass(frozen=True, slots=True)
class Locking:
    """One operation. what: it does to others. instead: the way that does not."""

    path: Path
    line: int
    table: str
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}: {self.table}: {self.what}. Instead: {self.instead}"


def locking(paths: Iterable[Path]) -> list[Locking]:
    """Every such operation of the `upgrade` of some migrations, in their order."""
    found: list[Locking] = []
    made: set[str] = set()
    for path in paths:
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
                reader = _Reader(path, made)
                reader.visit(node)
                found += reader.found
    return [each for each in found if each.table not in made]


def on_many_rows(connection: Connection, found: Iterable[Locking]) -> list[Locking]:
    """Those whose table holds many rows."""
    quote = connection.dialect.identifier_preparer.quote
    there = set(inspect(connection).get_table_names())

    def is_filled(table: str) -> bool:
        counted = f"SELECT count(*) FROM (SELECT FROM {quote(table)} LIMIT {MANY_ROWS + 1}) AS counted"  # a name of a migration, quoted
        return table in there and int(connection.scalar(text(counted)) or 0) > MANY_ROWS

    found = list(found)
    filled = {table for table in {each.table for each in found} if is_filled(table)}
    return [each for each in found if each.table in filled]


class _Reader(ast.NodeVisitor):
    """Goes through a function, and knows of which table a batch speaks."""

    def __init__(self, path: Path, made: set[str]) -> None:
        self.found: list[Locking] = []
        self._path, self._made = path, made
        self._batches: dict[str, str] = {}

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            call, name = item.context_expr, item.optional_vars
            if isinstance(call, ast.Call) and _name(call) == "batch_alter_table" and isinstance(name, ast.Name):
                self._batches[name.id] = str(_argument(call, 0, "table_name"))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(receiver, ast.Name) and (receiver.id == "op" or receiver.id in self._batches):
            self._judge(node, self._batches.get(receiver.id))
        self.generic_visit(node)

    def _judge(self, call: ast.Call, batch: str | None) -> None:
        name = _name(call)
        if name == "create_table":
            self._made.add(str(_argument(call, 0, "table_name")))
        # In a batch the table is said once, before.
        place = _TABLE_AT.get(name)
        if place is None:
            return
        table = batch or str(_argument(call, place, "table_name"))
        options = {word.arg: _literal(word.value) for word in call.keywords if word.arg}
        for what, instead in _faults(name, call, options):
            self.found.append(Locking(self._path, call.lineno, table, what, instead))


_TABLE_AT: Final = {
    "add_column": 0, "alter_column": 0, "create_index": 1, "create_foreign_key": 1, "create_check_constraint": 1,
    "create_unique_constraint": 1, "create_primary_key": 1, "create_exclude_constraint": 1,
}  # fmt: skip
"""Where each operation names its table, outside of a batch."""


def _faults(name: str, call: ast.Call, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if name == "add_column":
        if _is_required(call):
            yield (
                "a required column without a server_default fails on rows",
                "add it nullable, op.backfill, then require it",
            )
    elif name == "alter_column":
        if "type_" in options:
            yield (
                "a new type writes every row anew while nobody reads or writes",
                "add a column of the new type, write both, fill it by op.backfill, and leave the old one in a later release",
            )
        if options.get("nullable") is False:
            yield "NOT NULL reads every row while nobody reads or writes", _BY_CHECK
    elif name == "create_index":
        if not options.get("postgresql_concurrently"):
            yield "building the index keeps everybody from writing", _CONCURRENTLY
    elif name in ("create_foreign_key", "create_check_constraint"):
        if not options.get("postgresql_not_valid"):
            yield "the constraint reads every row while nobody writes", _LATER
    else:
        yield "building its index keeps everybody out", f"{_CONCURRENTLY}; then ADD CONSTRAINT … USING INDEX"


def _is_required(call: ast.Call) -> bool:
    for column in ast.walk(call):
        if isinstance(column, ast.Call) and _name(column) == "Column":
            options = {word.arg: word.value for word in column.keywords}
            nullable = options.get("nullable")
            return nullable is not None and _literal(nullable) is False and not {"server_default"} & options.keys()
    return False


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _argument(call: ast.Call, place: int, name: str) -> Any:
    given = [word.value for word in call.keywords if word.arg in (name, "source_table")]
    found = call.args[place] if len(call.args) > place else given[0] if given else None
    return None if found is None else _literal(found)


def _literal(node: ast.expr) -> Any:
    """The value of a literal; a call, such as `op.f("…")`, stands for something that is there."""
    if isinstance(node, ast.Call) and node.args:
        return _literal(node.args[0])
    try:
        return ast.literal_eval(node)
    except ValueError:
        return True

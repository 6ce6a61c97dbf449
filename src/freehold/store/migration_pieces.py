"""Pieces of schema that hang on a table and that Alembic does not see: the walls of invariants, full-text indexes.

A migration holds their whole SQL for both databases, so that it means the same when the library changes. What a
history has attached is read back from its files, so that no database is needed to see what is pending.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, Protocol

from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table

from freehold.store.invariant_walls import Bound, read_seal
from freehold.store.invariants import bounds_of, walls

DIALECTS = ("postgresql", "sqlite")
Statements = Mapping[str, tuple[str, ...]]


class Declared(Protocol):
    """What stands in `table.info["fh_ddl"]`: a piece with a name and its statements."""

    name: str

    def create(self, dialect_name: str) -> list[str]: ...

    def drop(self, dialect_name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, with the statements that make and remove it, by dialect."""

    name: str
    create: Statements = field(hash=False)
    drop: Statements = field(hash=False)

    def identity(self) -> object:
        """Equal for pieces of one meaning: by the fingerprint of the declaration, or else by the SQL."""
        seals = {
            (dialect, seal.declared)
            for dialect, statements in self.create.items()
            for statement in statements
            if (seal := read_seal(statement))
        }
        return seals or {name: [" ".join(text.split()) for text in texts] for name, texts in self.create.items()}


def declared(metadata: Iterable[MetaData]) -> dict[str, Piece]:
    """The pieces that the tables declare now, by name."""
    tables = [table for each in metadata for table in each.sorted_tables]
    return {piece.name: piece for table in tables for piece in _of(table)}


def _of(table: Table) -> Iterator[Piece]:
    hung: list[Declared] = list(table.info.get("fh_ddl", ()))
    for each in hung:
        yield Piece(
            each.name,
            {dialect: tuple(each.create(dialect)) for dialect in DIALECTS},
            {dialect: tuple(each.drop(dialect)) for dialect in DIALECTS},
        )
    for bound in bounds_of(table):
        yield _rule(bound)


def _rule(bound: Bound) -> Piece:
    plans = {dialect: walls(bound, dialect) for dialect in DIALECTS}
    return Piece(
        bound.name,
        {dialect: tuple(text for wall in plan for text in wall.create) for dialect, plan in plans.items()},
        {dialect: tuple(text for wall in reversed(plan) for text in wall.drop) for dialect, plan in plans.items()},
    )


def recorded(script: ScriptDirectory) -> dict[str, Piece]:
    """The pieces that the history has attached and not detached by its head."""
    found: dict[str, Piece] = {}
    for revision in reversed(list(script.walk_revisions())):
        module = ast.parse(Path(revision.path).read_text(encoding="utf-8"))
        undone = {name: statements for _, name, statements in _calls(module, "downgrade", {"detach"})}
        for verb, name, statements in _calls(module, "upgrade", {"attach", "detach"}):
            found.pop(name, None)
            if verb == "attach":
                found[name] = Piece(name, statements, undone.get(name, {}))
    return found


def _calls(module: ast.Module, function: str, verbs: set[str]) -> Iterator[tuple[str, str, Statements]]:
    """The calls `op.<verb>("name", dialect=[…])` of a function, in order. Their arguments are literals."""
    body = next((n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == function), None)
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)] if body else []
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in verbs and call.args:
            yield (
                call.func.attr,
                str(_literal(call.args[0])),
                {
                    str(keyword.arg): tuple(_level(text) for text in _literal(keyword.value))
                    for keyword in call.keywords
                },
            )


def _literal(node: ast.expr) -> Any:
    return ast.literal_eval(node)


def _level(text: str) -> str:
    """A statement without the indentation that a generated file gives to its lines after the first."""
    first, _, rest = text.strip().partition("\n")
    return f"{first}\n{dedent(rest)}" if rest else first


def changes(now: Mapping[str, Piece], before: Mapping[str, Piece]) -> tuple[list[Piece], list[Piece]]:
    """What to detach and what to attach, to come from `before` to `now`; a changed piece is in both."""
    changed = {name for name in now if name in before and now[name].identity() != before[name].identity()}
    detach = [piece for name, piece in before.items() if name not in now or name in changed]
    attach = [piece for name, piece in now.items() if name not in before or name in changed]
    return detach, attach

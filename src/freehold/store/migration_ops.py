"""`op.attach`, `op.detach` and `op.fill_search`: operations of a migration for what Alembic does not know by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations

from freehold.resource.grams import document
from freehold.resource.search_text import SearchDocument
from freehold.store.invariants import Statement
from freehold.store.migration_pieces import DIALECTS, Piece

_PAGE = 500


class _PieceOp(MigrateOperation):
    def __init__(self, piece: Piece) -> None:
        self.piece = piece


@Operations.register_operation("attach")
class AttachOp(_PieceOp):
    """Make a piece of schema, with the statements of the database at hand. A dialect that is not given gets none."""

    @classmethod
    def attach(cls, operations: Operations, name: str, **statements: Sequence[str]) -> None:
        """Run the statements of this database. statements: dialect -> complete SQL, in order."""
        operations.invoke(cls(Piece(name, {key: tuple(value) for key, value in statements.items()}, {})))

    def reverse(self) -> DetachOp:
        """Take it away again."""
        return DetachOp(self.piece)


@Operations.register_operation("detach")
class DetachOp(_PieceOp):
    """Remove a piece of schema."""

    @classmethod
    def detach(cls, operations: Operations, name: str, **statements: Sequence[str]) -> None:
        """Run the statements of this database. statements: dialect -> complete SQL, in order."""
        operations.invoke(cls(Piece(name, {}, {key: tuple(value) for key, value in statements.items()})))

    def reverse(self) -> AttachOp:
        """Put it back."""
        return AttachOp(self.piece)


@Operations.implementation_for(AttachOp)
def _attach(operations: Operations, operation: AttachOp) -> None:
    _run(operations, operation.piece.create.get(operations.get_context().dialect.name, ()))


@Operations.implementation_for(DetachOp)
def _detach(operations: Operations, operation: DetachOp) -> None:
    _run(operations, operation.piece.drop.get(operations.get_context().dialect.name, ()))


@Operations.register_operation("fill_search")
class FillSearchOp(MigrateOperation):
    """Compute a search document anew in every row: where a table gets one, or where its sources change."""

    def __init__(self, table: str, column: str, sources: Sequence[str], key: str) -> None:
        self.table, self.column, self.sources, self.key = table, column, sources, key

    @classmethod
    def fill_search(
        cls, operations: Operations, table: str, column: str, *, sources: Sequence[str], key: str = "id"
    ) -> None:
        """Fill `column`. sources: in the order of the declaration. On SQLite before the index is attached."""
        operations.invoke(cls(table, column, sources, key))


@Operations.implementation_for(FillSearchOp)
def _fill_search(operations: Operations, operation: FillSearchOp) -> None:
    connection = operations.get_bind()
    names: list[sa.ColumnClause[Any]] = [sa.column(name) for name in (operation.key, *operation.sources)]
    rows = sa.table(operation.table, *names, sa.column(operation.column, SearchDocument()))
    key = rows.c[operation.key]
    filled = sa.update(rows).where(key == sa.bindparam("of")).values({operation.column: sa.bindparam("document")})
    page = sa.select(key, *(rows.c[name] for name in operation.sources)).order_by(key).limit(_PAGE)
    further = page
    while found := connection.execute(further).all():
        connection.execute(filled, [{"of": row[0], "document": document(row[1:])} for row in found])
        further = page.where(key > found[-1][0])


def _run(operations: Operations, statements: Sequence[str]) -> None:
    for statement in statements:
        operations.execute(Statement(statement))


@renderers.dispatch_for(AttachOp)
def _render_attach(context: AutogenContext, operation: AttachOp) -> str:
    return _render("attach", operation.piece.name, operation.piece.create)


@renderers.dispatch_for(DetachOp)
def _render_detach(context: AutogenContext, operation: DetachOp) -> str:
    return _render("detach", operation.piece.name, operation.piece.drop)


def _render(verb: str, name: str, statements: Any) -> str:
    lines = [f"op.{verb}(", f"    {name!r},"]
    for dialect in DIALECTS:
        texts = statements.get(dialect, ())
        lines += [f"    {dialect}=[", *(f"        {_quoted(text)}," for text in texts), "    ],"]
    return "\n".join([*lines, ")"])


def _quoted(text: str) -> str:
    if '"""' in text or "\\" in text or "\n" not in text:
        return repr(text)
    return f'"""{text}\n"""'

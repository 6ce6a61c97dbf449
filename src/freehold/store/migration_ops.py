"""`op.attach` and `op.detach`: the operations of a migration for what Alembic does not know by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations

from freehold.store.invariants import Statement
from freehold.store.migration_pieces import DIALECTS, Piece


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

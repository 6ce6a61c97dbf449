"""`op.backfill`: the values of a derived column for the rows that were there before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import AddColumnOp, AlterColumnOp, ModifyTableOps, OpContainer

from freehold.errors import ConfigurationError
from freehold.resource.columns import Derived, recipe_of

_BATCH = 1_000


@Operations.register_operation("backfill")
class BackfillOp(MigrateOperation):
    """Compute a derived column for every row, by the key in batches, inside the migration's transaction."""

    def __init__(self, table: str, column: str, *, kind: str, sources: Sequence[str]) -> None:
        self.table, self.column, self.kind, self.sources = table, column, kind, tuple(sources)

    @classmethod
    def backfill(cls, operations: Operations, table: str, column: str, *, kind: str, sources: Sequence[str]) -> None:
        """Fill a column as `folded` or `search_document` would; one of your own, as its model computes it today.

        kind: `folded`, `search`, or that of your own column. sources: the columns that it is computed from.
        """
        operations.invoke(cls(table, column, kind=kind, sources=sources))

    def reverse(self) -> MigrateOperation:
        """Nothing to take back: the column goes."""
        raise NotImplementedError("a backfill is taken back with its column")


def with_backfills(container: OpContainer) -> None:
    """Where a derived column is added to a table: nullable first, then the values, then as it is declared."""
    found: list[MigrateOperation] = []
    for operation in container.ops:
        found.append(operation)
        if isinstance(operation, ModifyTableOps):
            found += _after(operation)
    container.ops = found


def _after(changes: ModifyTableOps) -> list[MigrateOperation]:
    fills: list[MigrateOperation] = []
    tightened: list[MigrateOperation] = []
    for operation in changes.ops:
        if not isinstance(operation, AddColumnOp):
            continue
        column = operation.column
        recipe: Derived | None = column.info.get("fh_derived")
        if recipe is None:
            continue
        fills.append(BackfillOp(changes.table_name, column.name, kind=recipe.kind, sources=recipe.sources))
        if not column.nullable:
            # A copy: the column that Alembic holds is the model's own.
            operation.column = column._copy()  # noqa: SLF001  # SQLAlchemy has no public way any more
            operation.column.nullable = True
            tightened.append(
                AlterColumnOp(changes.table_name, column.name, existing_type=column.type, modify_nullable=False)
            )
    if tightened:
        fills.append(ModifyTableOps(changes.table_name, tightened, schema=changes.schema))
    return fills


@Operations.implementation_for(BackfillOp)
def _backfill(operations: Operations, operation: BackfillOp) -> None:
    connection = operations.get_bind()
    table, key = _table(operations, connection, operation)
    wanted = [key, *(table.c[name] for name in operation.sources)]
    update = table.update().where(key == sa.bindparam("fh_key")).values({operation.column: sa.bindparam("fh_value")})
    recipe: Derived | None = None
    last: Any = None
    while True:
        query = sa.select(*wanted).order_by(key).limit(_BATCH)
        rows = connection.execute(query if last is None else query.where(key > last)).all()
        if not rows:
            return
        recipe = recipe or _recipe(operations, operation)
        values = [
            {
                "fh_key": row[0],
                "fh_value": recipe.value(dict(zip(operation.sources, row[1:], strict=True)), table.c[operation.column]),
            }
            for row in rows
        ]
        connection.execute(update, values)
        last = rows[-1][0]


def _table(operations: Operations, connection: sa.Connection, operation: BackfillOp) -> tuple[sa.Table, sa.Column[Any]]:
    """The table as the migration finds it, its columns of the types that the model gives them where it has them."""
    model = _model(operations, operation.table)
    table = sa.Table(operation.table, sa.MetaData(), autoload_with=connection, resolve_fks=False)
    if model is not None:
        for column in table.c:
            if column.name in model.c:
                column.type = model.c[column.name].type
                column.nullable = model.c[column.name].nullable if column.name == operation.column else column.nullable
    keys = list(table.primary_key.columns)
    if len(keys) != 1:
        raise ConfigurationError(f"op.backfill: {operation.table} has no key of one column; write the UPDATE by hand")
    return table, keys[0]


def _model(operations: Operations, name: str) -> sa.Table | None:
    metadata = operations.get_context().opts.get("target_metadata") or ()
    found = (each.tables.get(name) for each in metadata)
    return next((table for table in found if table is not None), None)


def _recipe(operations: Operations, operation: BackfillOp) -> Derived:
    built_in = recipe_of(operation.kind, operation.sources)
    if built_in is not None:
        return built_in
    model = _model(operations, operation.table)
    column = None if model is None else model.c.get(operation.column)
    if column is None or "fh_derived" not in column.info:
        raise ConfigurationError(
            f"op.backfill: {operation.table}.{operation.column} is of kind {operation.kind!r}, and no model says any "
            "more how it is computed; fill it by hand in this migration"
        )
    recipe: Derived = column.info["fh_derived"]
    return recipe


@renderers.dispatch_for(BackfillOp)
def _render_backfill(context: AutogenContext, operation: BackfillOp) -> str:
    return f"op.backfill({operation.table!r}, {operation.column!r}, kind={operation.kind!r}, sources={list(operation.sources)!r})"

"""What an `env.py` runs: Alembic, told about our types, our pieces and the tables that are not the service's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp, MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.types import TypeDecorator

from freehold.errors import ConfigurationError
from freehold.resource.base import UTCDateTime
from freehold.store import migration_postgresql as _walled  # noqa: F401 - take the places of Alembic's implementations
from freehold.store import migration_sqlite as _carrying  # noqa: F401
from freehold.store.migration_backfill import with_backfills
from freehold.store.migration_ops import AttachOp, DetachOp
from freehold.store.migration_pieces import changes, declared, recorded
from freehold.store.policies import put_up
from freehold.store.privileges import Roles, grant
from freehold.store.protection import Registry

OWN_VERSION_TABLE = "freehold_version"
_OWN = re.compile(r"freehold_")
_FTS = re.compile(r"(?P<table>.+)_fts(_rows|_data|_idx|_content|_docsize|_config)?")


@dataclass(frozen=True, slots=True)
class Migrations:
    """One Alembic history over one database.

    folder: with `env.py` and `versions/`; `make` writes what is not there. metadata: of every table that the history
    is about, with their invariants registered. version_table: where the database notes how far it is. rules: of access,
    which PostgreSQL is to keep too. roles: who besides the owner may do what. is_alone: whether a table that metadata lacks
    is one whose model is gone; where others keep tables of their own in the database, it is left as it is.
    """

    folder: Path
    url: str
    metadata: Sequence[MetaData]
    version_table: str = "alembic_version"
    rules: Registry | None = None
    roles: Roles = field(default_factory=Roles)
    is_alone: bool = True

    @property
    def is_own(self) -> bool:
        """Whether this is the history of Freehold's own tables."""
        return self.version_table == OWN_VERSION_TABLE


def run() -> None:
    """Run what Alembic was asked for. All migrations of a run are one transaction, on both databases.

    Raises ConfigurationError outside of `freehold migrate`, and when a migration leaves rows without their parent.
    """
    migrations: Migrations | None = context.config.attributes.get("freehold")
    if migrations is None:
        raise ConfigurationError("run `freehold migrate …`: it gives Alembic the tables, the rules and the database")
    connection: Connection = context.config.attributes["connection"]
    say: Callable[[str], None] = context.config.attributes["say"]
    context.configure(
        connection=connection,
        target_metadata=list(migrations.metadata),
        version_table=migrations.version_table,
        transactional_ddl=True,
        process_revision_directives=_add_pieces(migrations),
        on_version_apply=_progress(say),
        **options(migrations),
    )
    with quiet(), context.begin_transaction():
        context.run_migrations()
        _verify_references(connection)
        if context.config.attributes.get("to_head"):
            _put_up_walls(connection, migrations, say)


def _put_up_walls(connection: Connection, migrations: Migrations, say: Callable[[str], None]) -> None:
    """Policies and grants come from the declarations, not from the history: they are what is declared at its head."""
    if connection.dialect.name != "postgresql" or migrations.rules is None:
        return
    changed = put_up(connection, migrations.rules, reader=migrations.roles.reader)
    if changed:
        say(f"row-level security put up: {', '.join(changed)}")
    grant(connection, migrations.roles)


def options(migrations: Migrations) -> dict[str, Any]:
    """How tables are compared and rendered, for a run and for a check alike."""
    return {
        "render_as_batch": True,
        "compare_type": True,
        "compare_server_default": True,
        "include_name": _is_ours(migrations),
        "render_item": _render_type,
        # A CHECK that was added is not seen without the plugin.
        "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what SQLAlchemy says of indexes over expressions: those are ours, and are compared by their seals."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Skipped unsupported reflection of expression-based index")
        yield


def _is_ours(migrations: Migrations) -> Callable[[str | None, str, Any], bool]:
    declared_tables = {table.name for metadata in migrations.metadata for table in metadata.tables.values()}

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        if name is None:
            return True
        if kind == "table":
            if name in declared_tables or not migrations.is_alone:
                return name in declared_tables
            found = _FTS.fullmatch(name)
            is_index = found is not None and any(_is_index_of(found["table"], each) for each in declared_tables)
            return bool(_OWN.match(name)) == migrations.is_own and not is_index
        if kind in {"index", "unique_constraint", "check_constraint"}:
            return not name.startswith("fh_") and not (kind == "index" and name.endswith(("_terms", "_trigrams")))
        return True

    return is_ours


def _is_index_of(named: str, table: str) -> bool:
    """Whether an FTS5 table goes by a table's name, or by it and a column's."""
    return named == table or named.startswith(f"{table}_")


def _render_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind != "type" or not isinstance(item, TypeDecorator) or type(item).__module__.startswith("sqlalchemy"):
        return False
    if isinstance(item, UTCDateTime):
        autogen.imports.add("from freehold.resource.base import UTCDateTime")
        return "UTCDateTime()"
    autogen.imports.add(f"import {type(item).__module__}")
    return f"{type(item).__module__}.{item!r}"


def _add_pieces(migrations: Migrations) -> Callable[[MigrationContext, Any, list[MigrationScript]], None]:
    """Detach first and attach last, so that a table is free of its rules while it is changed."""

    def add(migration: MigrationContext, revision: Any, directives: list[MigrationScript]) -> None:
        script = directives[0]
        assert script.upgrade_ops is not None
        assert script.downgrade_ops is not None
        config = migration.config
        assert config is not None
        detach, attach = changes(declared(migrations.metadata), recorded(ScriptDirectory.from_config(config)))
        with_backfills(script.upgrade_ops)
        upgrade = [DetachOp(piece) for piece in detach], [AttachOp(piece) for piece in attach]
        script.upgrade_ops.ops = [*upgrade[0], *script.upgrade_ops.ops, *upgrade[1]]
        back = [operation.reverse() for operation in reversed(upgrade[1])]
        again = [operation.reverse() for operation in reversed(upgrade[0])]
        script.downgrade_ops.ops = [*back, *script.downgrade_ops.ops, *again]
        for operation in (*script.upgrade_ops.ops, *script.downgrade_ops.ops):
            if isinstance(operation, CreateTableOp):
                _without_notes(operation)
        if script.upgrade_ops.is_empty():
            directives.clear()

    return add


def _without_notes(operation: CreateTableOp) -> None:
    """Keep `table.info` out of the file: it holds objects, and columns of ours write to it as they are attached."""
    make_table = operation.to_table

    def to_table(migration: MigrationContext | None = None) -> Table:
        table = make_table(migration)
        table.info.clear()
        return table

    operation.to_table = to_table  # type: ignore[method-assign, assignment]


def _progress(say: Callable[[str], None]) -> Callable[..., None]:
    def applied(*, step: Any, **_: Any) -> None:
        revision = step.up_revision
        say(f"{'applied' if step.is_upgrade else 'taken back'} {revision.revision}: {(revision.doc or '').strip()}")

    return applied


def _verify_references(connection: Connection) -> None:
    """SQLite does not watch foreign keys while tables are copied; look once before the commit."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise ConfigurationError(
            f"the migration would leave rows without their parent in: {tables}; nothing was changed"
        )

"""Migrations: one history per service, and one of Freehold's own tables that is applied before it.

Every function opens its own connections; `up` and `down` are run by one of many starters while the others wait.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, make_url, text

from freehold.errors import ConfigurationError
from freehold.store import policies
from freehold.store.invariant_schema import missing, undeclared
from freehold.store.invariants import Registry
from freehold.store.migration_branches import parted, refuse_parted, strangers
from freehold.store.migration_env import OWN_VERSION_TABLE, Migrations, options, quiet
from freehold.store.migration_lock import only_one
from freehold.store.migration_locks import locking, on_many_rows
from freehold.store.migration_patience import LOCK_SECONDS, patiently
from freehold.store.migration_pieces import changes, declared, recorded
from freehold.store.plain_engine import plain_engine

__all__ = ["Migrations", "behind", "check", "current", "down", "is_ours", "make", "merge", "own", "up", "upgrade_own"]

T = TypeVar("T")
Say = Callable[[str], None]

_OWN_FOLDER = Path(__file__).parent / "migrations"
_REMARK = re.compile(r"^ *# ### .*\n", re.MULTILINE)  # Alembic's remarks in what it generates
_ENV = '''"""Alembic runs this; `freehold migrate` runs Alembic."""

from freehold.store.migration_env import run

run()
'''
_TEMPLATE = '''"""${message}

Revision: ${up_revision}
Revises: ${(down_revision or "nothing") | comma,n}
Created: ${create_date}
"""

import sqlalchemy as sa
from alembic import op
% if imports:

${imports}
% endif

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take back."""
    ${downgrades if downgrades else "pass"}
'''


def own(url: str, *metadata: MetaData) -> Migrations:
    """The history of Freehold's own tables. metadata: only to make or check it, with every own table imported."""
    return Migrations(_OWN_FOLDER, url, metadata, version_table=OWN_VERSION_TABLE)


async def upgrade_own(url: str, *, say: Say = print) -> None:
    """Bring Freehold's own tables to what this version of the library needs."""
    await _upgrade(own(url), "head", say)


async def up(migrations: Migrations, revision: str = "head", *, may_lock: bool = False, say: Say = print) -> None:
    """Apply what is pending: Freehold's own tables first, then the service's. One of many starters does it.

    Each history is one transaction: a migration that fails leaves the database as it was.
    may_lock: also what keeps everybody from a table of many rows; otherwise ConfigurationError (PostgreSQL).
    """
    if not migrations.is_own:
        await upgrade_own(migrations.url, say=say)
    await _upgrade(migrations, revision, say, may_lock=may_lock)


async def down(migrations: Migrations, revision: str = "-1", *, say: Say = print) -> None:
    """Take back to `revision` (`-1`: the last one; `base`: all). Freehold's own tables stay."""
    async with only_one(make_url(migrations.url), say):
        await _command(migrations, lambda config: command.downgrade(config, revision), say)


async def current(migrations: Migrations) -> str | None:
    """The revision that the database is at; None before the first."""
    return await _inspect(migrations, lambda connection: _context(connection, migrations).get_current_revision())


async def make(migrations: Migrations, message: str, *, say: Say = print) -> Path | None:
    """Write the migration from the history to the models and rules as they are; its file, or None when they agree.

    On SQLite the history is replayed in a scratch database, so that the one in use may be at any state. On
    PostgreSQL the database has to be at the head.
    """
    _scaffold(migrations.folder)
    written: list[Path] = []

    def revision(config: Config) -> None:
        refuse_parted(ScriptDirectory.from_config(config))
        made = command.revision(config, message, autogenerate=True)
        scripts = made if isinstance(made, list) else [made]
        written.extend(Path(script.path) for script in scripts if script is not None)

    if make_url(migrations.url).get_backend_name() == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            scratch = replace(migrations, url=f"sqlite+aiosqlite:///{folder}/scratch.db")
            await up(scratch, say=_silent)
            await _command(scratch, revision, say)
    else:
        await _command(migrations, revision, say)
    for path in written:
        _tidy(path)
        say(f"written {path}")
        for each in locking([path]):
            say(f"on a table of many rows: {each}")
    return written[0] if written else None


def merge(migrations: Migrations, message: str, *, say: Say = print) -> Path | None:
    """Write the migration that follows every end of a history that parted; its file, or None where there is one end.

    It changes nothing itself: a database that has had only some of the ends gets the others on the way to it.
    """
    config = _config(migrations)
    if parted(ScriptDirectory.from_config(config)) is None:
        return None
    made = command.merge(config, "heads", message)
    assert made is not None
    path = Path(made.path)
    _tidy(path)
    say(f"written {path}")
    return path


async def check(migrations: Migrations) -> list[str]:
    """What is wrong, one sentence each: a database behind its history, models without a migration, rules not kept."""
    return await _inspect(migrations, lambda connection: _faults(connection, migrations))


async def behind(migrations: Migrations) -> list[str]:
    """Whether the database is where its history ends, whatever the models say; a sentence where it is not."""
    return await _inspect(migrations, lambda connection: _behind(connection, migrations))


def _behind(connection: Connection, migrations: Migrations) -> list[str]:
    script = ScriptDirectory.from_config(_config(migrations))
    heads, there = set(script.get_heads()), set(_context(connection, migrations).get_current_heads())
    if said := parted(script) or strangers(script, there):
        return [said]
    if heads == there:
        return []
    at = ", ".join(sorted(there)) or "no revision"
    return [f"the database is at {at}, the history at {', '.join(heads) or 'no revision'}: `freehold migrate up`"]


def _faults(connection: Connection, migrations: Migrations) -> list[str]:
    if said := _behind(connection, migrations):
        return said
    script = ScriptDirectory.from_config(_config(migrations))
    detach, attach = changes(declared(migrations.metadata), recorded(script))
    pending = [*(piece.name for piece in attach), *(piece.name for piece in detach)]
    faults = [f"{name} has no migration: `freehold migrate make`" for name in dict.fromkeys(pending)]
    with quiet():
        # Alembic takes a list of MetaData everywhere; only this signature does not say so.
        metadata: Any = list(migrations.metadata)
        differences: Sequence[Any] = compare_metadata(_context(connection, migrations), metadata)
    faults += [f"no migration for {_describe(each)}: `freehold migrate make`" for each in differences]
    if faults:
        return faults
    registry = Registry(*migrations.metadata)
    left = [f"the rule behind {wall.kind} {wall.name} is not declared" for wall in undeclared(connection, registry)]
    return missing(connection, registry) + left + _open_walls(connection, migrations)


def _open_walls(connection: Connection, migrations: Migrations) -> list[str]:
    if migrations.rules is None:
        return []
    found = policies.drift(connection, migrations.rules, reader=migrations.roles.reader)
    return [f"{name} {fault}: `freehold migrate up`" for name, fault in found.items()]


def _describe(difference: Any) -> str:
    """`add_column stays.guests` from one of Alembic's tuples (or a list of them)."""
    if isinstance(difference, list):
        return ", ".join(_describe(each) for each in difference)
    parts = (getattr(each, "name", each) for each in difference[1:])
    return f"{difference[0]} {'.'.join(part for part in parts if isinstance(part, str))}"


def _context(connection: Connection, migrations: Migrations) -> MigrationContext:
    opts = {"version_table": migrations.version_table, "target_metadata": list(migrations.metadata)}
    return MigrationContext.configure(connection, opts={**opts, **options(migrations)})


async def _upgrade(migrations: Migrations, revision: str, say: Say, *, may_lock: bool = True) -> None:
    def upgrade(config: Config) -> None:
        if revision == "head":
            refuse_parted(ScriptDirectory.from_config(config))
        if not may_lock:
            _refuse_long_locks(config.attributes["connection"], migrations, revision)
        config.attributes["to_head"] = revision == "head"
        command.upgrade(config, revision)

    async with only_one(make_url(migrations.url), say):
        await _command(migrations, upgrade, say)


def _refuse_long_locks(connection: Connection, migrations: Migrations, revision: str) -> None:
    if connection.dialect.name != "postgresql":
        return
    script = ScriptDirectory.from_config(_config(migrations))
    at = _context(connection, migrations).get_current_heads()
    pending = [Path(each.path) for each in reversed(list(script.iterate_revisions(revision, at or "base")))]
    found = on_many_rows(connection, locking(pending))
    connection.rollback()  # the looks have begun a transaction, and the migrations are to begin their own
    if found:
        raise ConfigurationError(
            "pending migrations would keep everybody from tables of many rows; nothing was changed:\n"
            + "\n".join(f"  {each}" for each in found)
            + "\n`freehold migrate up --may-lock` runs them all the same"
        )


def is_ours(folder: Path) -> bool:
    """Whether `freehold migrate make` began the history in this folder: Alembic alone writes another `env.py`."""
    found = folder / "env.py"
    return found.exists() and "freehold.store.migration_env" in found.read_text(encoding="utf-8")


def _config(migrations: Migrations) -> Config:
    if not (migrations.folder / "env.py").exists():
        raise ConfigurationError(
            f'{migrations.folder} holds no migrations: `freehold migrate make "first"` begins them'
        )
    config = Config(cmd_opts=Namespace(quiet=True))  # what is worth saying, `say` says
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s_%%(rev)s")
    config.attributes["freehold"] = migrations
    return config


async def _command(migrations: Migrations, work: Callable[[Config], object], say: Say) -> None:
    def run(connection: Connection) -> None:
        config = _config(migrations)
        config.attributes.update(connection=connection, say=say)
        work(config)

    async def attempt() -> None:
        async with plain_engine(make_url(migrations.url)) as engine, engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
                await connection.commit()
            await connection.run_sync(run)
            await connection.commit()

    await patiently(attempt, say)


async def _inspect(migrations: Migrations, work: Callable[[Connection], T]) -> T:
    async with plain_engine(make_url(migrations.url)) as engine, engine.connect() as connection:
        return await connection.run_sync(work)


def _scaffold(folder: Path) -> None:
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    for name, content in (("env.py", _ENV), ("script.py.mako", _TEMPLATE)):
        if not (folder / name).exists():
            (folder / name).write_text(content, encoding="utf-8")


def _tidy(path: Path) -> None:
    """Take out what Alembic leaves in a file, and format it where ruff is installed beside this Python."""
    written = _REMARK.sub("", path.read_text(encoding="utf-8"))
    if "sa." not in written:
        written = written.replace("import sqlalchemy as sa\n", "")
    path.write_text(written, encoding="utf-8")
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff:
        for command_ in (["check", "--select=I", "--fix", "--quiet"], ["format", "--quiet"]):
            subprocess.run([ruff, *command_, str(path)], check=False)


def _silent(_: str) -> None:
    """Say nothing: the scratch database is nobody's."""

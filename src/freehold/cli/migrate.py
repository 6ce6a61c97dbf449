"""`freehold migrate`: the schema of a service, from its declarations to its database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.running import process_or_refuse
from freehold.cli.target import AppOption, folder_of, load
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.store.migrate import Migrations
    from freehold.web.app import Freehold
    from freehold.web.install_process import Process

app = typer.Typer(help="Migrations: make, merge, up, down, check.", no_args_is_help=True)

FAULTY = 1


def history(service: Freehold, target: str | None) -> Migrations:
    """The history of a service: the folder it names, else `migrations`; relative to the folder of the app's module."""
    from freehold.store.migrate import Migrations
    from freehold.store.privileges import Roles

    given = service.settings
    return Migrations(
        folder_of(target) / (service.migrations or "migrations"),
        given.tables_url,
        service.all_metadata,
        rules=service.database.registry,
        roles=Roles.of(given.owner_url, given.database_url, given.reader_url),
    )


def _history_of(target: str | None) -> Migrations:
    """The history of a Freehold app, or the folder `migrations` beside the module of one that it was installed in.

    Raises ConfigurationError for a folder whose history Alembic keeps without Freehold.
    """
    from freehold.store.migrate import is_ours

    app_ = load(target)
    if isinstance(app_, _freehold()):
        return history(app_, target)
    found = _installed_history(process_or_refuse(app_, target), target)
    if (found.folder / "env.py").exists() and not is_ours(found.folder):
        raise ConfigurationError(
            f"{found.folder} is a history of the application's own, which `alembic` goes on with. `freehold migrate up` and "
            "`check` see to Freehold's own tables beside it."
        )
    return found


def _installed_history(process: Process, target: str | None) -> Migrations:
    from freehold.store.migrate import Migrations
    from freehold.store.privileges import Roles

    given = process.servers.settings
    used = process.database.url.render_as_string(hide_password=False)
    owner, reader = (given.owner_url, given.reader_url) if given is not None else ("", "")
    return Migrations(
        folder_of(target) / "migrations",
        owner or used,
        process.metadata,
        rules=process.database.registry,
        roles=Roles.of(owner, used, reader),
        is_alone=False,  # only the models that Freehold was told of are known
    )


def _own_tables(target: str | None) -> Migrations | None:
    """The history of Freehold's own tables, where an application that it was installed in keeps no other by it."""
    from freehold.store.migrate import is_ours, own

    app_ = load(target)
    if isinstance(app_, _freehold()):
        return None
    found = _installed_history(process_or_refuse(app_, target), target)
    return None if is_ours(found.folder) else own(found.url)


def _freehold() -> type[Freehold]:
    from freehold.web.app import Freehold

    return Freehold


@app.command()
def make(
    message: Annotated[str, typer.Argument(help="What changes, in a few words.")], *, target: AppOption = None
) -> None:
    """Write the migration from the history to the models and rules as they are now. Read it before you apply it."""
    from freehold.store import migrate

    if asyncio.run(migrate.make(_history_of(target), message, say=typer.echo)) is None:
        typer.echo("nothing to migrate: the history and the declarations agree")


@app.command()
def merge(
    message: Annotated[str, typer.Argument(help="What comes together, in a few words.")], *, target: AppOption = None
) -> None:
    """Write the migration that joins a history with several ends, as two branches leave it that each made one."""
    from freehold.store import migrate

    if migrate.merge(_history_of(target), message, say=typer.echo) is None:
        typer.echo("nothing to merge: the history has one end")


@app.command()
def up(
    revision: Annotated[str, typer.Argument()] = "head",
    *,
    may_lock: Annotated[
        bool, typer.Option("--may-lock", help="Also what keeps everybody from a table of many rows (PostgreSQL).")
    ] = False,
    target: AppOption = None,
) -> None:
    """Apply what is pending, Freehold's own tables first. Safe to start many times at once."""
    from freehold.store import migrate

    alone = _own_tables(target)
    if alone is None:
        asyncio.run(migrate.up(_history_of(target), revision, may_lock=may_lock, say=typer.echo))
        return
    asyncio.run(migrate.upgrade_own(alone.url, say=typer.echo))
    typer.echo("Freehold's own tables are up to date; those of the application are its own history's")


@app.command()
def down(
    revision: Annotated[str, typer.Argument(help="A revision, -1 for the last one, base for all.")] = "-1",
    *,
    target: AppOption = None,
) -> None:
    """Take back to a revision. Freehold's own tables stay."""
    from freehold.store import migrate

    asyncio.run(migrate.down(_history_of(target), revision, say=typer.echo))


@app.command()
def check(*, target: AppOption = None) -> None:
    """Compare database, history and declarations; ends with 1 and a sentence for each fault.

    In production also: does row-level security apply to the log-in of the service?
    """
    faults = asyncio.run(_faults(target))
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(FAULTY)
    typer.echo("database, history and declarations agree")


async def _faults(target: str | None) -> list[str]:
    from freehold.store import migrate
    from freehold.web.schema import wall_is_missing

    alone, service = _own_tables(target), load(target)
    if alone is not None:
        return await migrate.behind(alone)
    unwalled = await wall_is_missing(service) if isinstance(service, _freehold()) else None
    return [*await migrate.check(_history_of(target)), *([unwalled] if unwalled else [])]

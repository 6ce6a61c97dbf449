"""`freehold migrate`: the schema of a service, from its declarations to its database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.running import freehold_app
from freehold.cli.target import AppOption, folder_of

if TYPE_CHECKING:
    from freehold.store.migrate import Migrations
    from freehold.web.app import Freehold

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


@app.command()
def make(
    message: Annotated[str, typer.Argument(help="What changes, in a few words.")], *, target: AppOption = None
) -> None:
    """Write the migration from the history to the models and rules as they are now. Read it before you apply it."""
    from freehold.store import migrate

    if asyncio.run(migrate.make(history(freehold_app(target), target), message, say=typer.echo)) is None:
        typer.echo("nothing to migrate: the history and the declarations agree")


@app.command()
def merge(
    message: Annotated[str, typer.Argument(help="What comes together, in a few words.")], *, target: AppOption = None
) -> None:
    """Write the migration that joins a history with several ends, as two branches leave it that each made one."""
    from freehold.store import migrate

    if migrate.merge(history(freehold_app(target), target), message, say=typer.echo) is None:
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

    asyncio.run(migrate.up(history(freehold_app(target), target), revision, may_lock=may_lock, say=typer.echo))


@app.command()
def down(
    revision: Annotated[str, typer.Argument(help="A revision, -1 for the last one, base for all.")] = "-1",
    *,
    target: AppOption = None,
) -> None:
    """Take back to a revision. Freehold's own tables stay."""
    from freehold.store import migrate

    asyncio.run(migrate.down(history(freehold_app(target), target), revision, say=typer.echo))


@app.command()
def check(*, target: AppOption = None) -> None:
    """Compare database, history and declarations; ends with 1 and a sentence for each fault.

    In production also: does row-level security apply to the log-in of the service?
    """
    faults = asyncio.run(_faults(freehold_app(target), target))
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(FAULTY)
    typer.echo("database, history and declarations agree")


async def _faults(service: Freehold, target: str | None) -> list[str]:
    from freehold.store import migrate
    from freehold.web.schema import wall_is_missing

    unwalled = await wall_is_missing(service)
    return [*await migrate.check(history(service, target)), *([unwalled] if unwalled else [])]

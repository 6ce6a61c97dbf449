"""`freehold copy`: the data of a service, from its database to an empty one (SQLite to PostgreSQL, or back)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.migrate import history
from freehold.cli.output import AsJson, write_json
from freehold.cli.running import freehold_app
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from freehold.web.app import Freehold


def command(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            envvar="FREEHOLD_COPY_TO",
            help="The empty database: postgresql+asyncpg://… or sqlite+aiosqlite:///…; better by the variable, "
            "for other users of the machine see the arguments of a command.",
        ),
    ],
    *,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Copy all tables, Freehold's own too, in one transaction; each is read back and compared before it commits.

    Make an empty database, stop the service (its writers would meet 503 meanwhile), copy, point FREEHOLD_DATABASE_URL at
    the new database and keep FREEHOLD_SECRET and the files as they are. Progress goes to standard error.
    """
    service = freehold_app(target)

    def say(line: str) -> None:
        typer.echo(line, err=True)

    copied = asyncio.run(_copy(service, to, target, say))
    if json:
        write_json(copied)
        return
    typer.echo(f"copied {sum(copied.values()):,} rows of {len(copied)} tables; each was read back alike")
    typer.echo("next: FREEHOLD_DATABASE_URL to the new database, the same FREEHOLD_SECRET, and start the service")


async def _copy(service: Freehold, to: str, target: str | None, say: Callable[[str], None]) -> dict[str, int]:
    from sqlalchemy.exc import SQLAlchemyError

    from freehold.store import copying, migrate
    from freehold.store.database import Database
    from freehold.store.schema import create_missing

    source = service.settings.database_url
    try:
        if service.migrations is not None:
            here = history(service, target)
            there = replace(here, url=to)
            await migrate.up(there, say=say)
            if await migrate.current(here) != await migrate.current(there):
                raise ConfigurationError("The source is behind its migrations: run `freehold migrate up` on it first.")
        else:
            empty = Database.open(to)
            await empty.start()
            try:
                await create_missing(empty, service.all_metadata)
            finally:
                await empty.close()
        return await copying.copy(source, to, service.all_metadata, say=say)
    except Unavailable:
        raise ConfigurationError("The target cannot be reached.") from None
    except (SQLAlchemyError, OSError) as error:
        # A driver's message may repeat the address, with its password in it.
        raise ConfigurationError(f"The copy failed ({type(error).__name__}); the target was not changed.") from error

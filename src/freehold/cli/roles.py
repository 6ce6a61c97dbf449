"""`freehold roles`: the log-ins of a service at PostgreSQL, each with no right that it does not need."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.running import freehold_app
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from freehold.settings import Settings

ADMIN = typer.Option(
    "--admin-url",
    envvar="FREEHOLD_ADMIN_URL",
    help="A log-in that may create roles. Default: FREEHOLD_OWNER_URL.",
    show_default=False,
)


def command(
    *,
    admin_url: Annotated[str, ADMIN] = "",
    sql: Annotated[bool, typer.Option("--sql", help="Print the statements, without passwords, and run none.")] = False,
    target: AppOption = None,
) -> None:
    """Create or correct the log-ins that FREEHOLD_DATABASE_URL and FREEHOLD_READER_URL name, with their passwords.

    They may log in, and nothing else; what they may do with tables `freehold migrate up` grants. Safe to run again.
    """
    from freehold.settings.values import postgresql_url

    given = freehold_app(target).settings
    if not given.owner_url:
        raise ConfigurationError(
            "FREEHOLD_OWNER_URL is not set: the log-in that owns the tables has to be another one than the service's. "
            "Set it to the present log-in, and FREEHOLD_DATABASE_URL (and FREEHOLD_READER_URL) to new ones."
        )
    urls = [url for url in (given.database_url, given.reader_url) if url]
    if sql:
        _print(urls, given)
        return
    try:
        administrator = postgresql_url(admin_url) or given.owner_url
    except ValueError as error:
        raise ConfigurationError(f"--admin-url: {error}") from None
    for name in asyncio.run(_create(administrator, urls, given)):
        typer.echo(f"{name}  may log in, and waits for its grants: `freehold migrate up`")


def _print(urls: list[str], given: Settings) -> None:
    from freehold.store.privileges import login_statements
    from freehold.web.schema import patience_of

    for url in urls:
        for statement in login_statements(url, patience_of(given), exists=False, shows_password=False):
            typer.echo(f"{statement};")


async def _create(administrator: str, urls: list[str], given: Settings) -> list[str]:
    from sqlalchemy import make_url, text
    from sqlalchemy.exc import DBAPIError

    from freehold.store.invariants import Statement
    from freehold.store.plain_engine import plain_engine
    from freehold.store.privileges import login_statements
    from freehold.web.schema import patience_of

    def create(connection: Connection) -> list[str]:
        there = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
        names = [make_url(url).username or "" for url in urls]
        for url, name in zip(urls, names, strict=True):
            for statement in login_statements(url, patience_of(given), exists=name in there):
                connection.execute(Statement(statement))
        return names

    try:
        async with plain_engine(make_url(administrator)) as engine, engine.begin() as connection:
            return await connection.run_sync(create)
    except (DBAPIError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise ConfigurationError(f"the roles could not be made, nothing was changed: {reason}") from None

"""`freehold copy`: the data of a service, from its database to an empty one (SQLite to PostgreSQL, or back), and its files."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.migrate import history
from freehold.cli.output import AsJson, write_json
from freehold.cli.running import freehold_app
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from freehold.media import Files
    from freehold.media.copying import CopiedFiles
    from freehold.web.app import Freehold


def command(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            envvar="FREEHOLD_COPY_TO",
            help="The empty database: postgresql+asyncpg://… or sqlite+aiosqlite:///…; better by the variable, "
            "for other users of the machine see the arguments of a command.",
        ),
    ] = None,
    files_to: Annotated[
        str | None,
        typer.Option(
            "--files-to",
            envvar="FREEHOLD_COPY_FILES_TO",
            help="Where the files go: s3://bucket/prefix, gs://…, az://…, or a folder, which is <FREEHOLD_VAR_DIR>/files.",
        ),
    ] = None,
    *,
    json: AsJson = False,
    target: AppOption = None,
) -> None:
    """Copy all tables, Freehold's own too, in one transaction, and the files; all is read back and compared.

    Make an empty database, stop the service (its writers would meet 503 meanwhile), copy, point FREEHOLD_DATABASE_URL at
    the new database and keep FREEHOLD_SECRET. Files stay where they are without --files-to; broken off, copying them is
    gone on with by the same command without --to. Progress goes to standard error.
    """
    if to is None and files_to is None:
        raise ConfigurationError("Say where to: --to for the database, --files-to for the files, or both.")
    service = freehold_app(target)

    def say(line: str) -> None:
        typer.echo(line, err=True)

    stores = None if files_to is None else _stores(service, files_to)
    rows = {} if to is None else asyncio.run(_copy(service, to, target, say))
    files = None if stores is None else asyncio.run(_copy_files(*stores, say))
    if json:
        write_json(rows if files is None else {"rows": rows, "files": asdict(files)})
        return
    if to is not None:
        typer.echo(f"copied {sum(rows.values()):,} rows of {len(rows)} tables; each was read back alike")
    if files is not None:
        typer.echo(
            f"copied {files.files:,} files of {files.size_bytes:,} bytes; each was read back alike"
            f"{f', {files.there_before:,} were there before' if files.there_before else ''}"
        )
    elif service.library is not None:
        typer.echo("the files stay where they are; `freehold copy --files-to …` copies them too")
    typer.echo(
        "next: point FREEHOLD_DATABASE_URL, FREEHOLD_FILES_URL or FREEHOLD_VAR_DIR at what is new, with the same"
    )
    typer.echo("FREEHOLD_SECRET, and start the service")


def _stores(service: Freehold, files_to: str) -> tuple[Files, Files]:
    from freehold.media import open_files

    if service.library is None:
        raise ConfigurationError("--files-to: this service has no files; it was made without media.")
    source = service.library.files
    given, own_folder = service.settings, (service.settings.var_dir / "files").absolute()
    url, folder = (files_to, own_folder) if "://" in files_to else ("", Path(files_to).absolute())
    if (url.rstrip("/"), folder) == (given.files_url.rstrip("/"), own_folder):
        raise ConfigurationError("--files-to: the files are there already.")
    return source, open_files(url, folder)


async def _copy_files(source: Files, to: Files, say: Callable[[str], None]) -> CopiedFiles:
    from freehold.media.copying import copy_files

    try:
        return await copy_files(source, to, say=say)
    except (Unavailable, OSError) as error:
        raise ConfigurationError(
            f"The files could not be copied ({type(error).__name__}). Go on with `freehold copy --files-to …` alone."
        ) from error


async def _copy(service: Freehold, to: str, target: str | None, say: Callable[[str], None]) -> dict[str, int]:
    from sqlalchemy.exc import SQLAlchemyError

    from freehold.store import copying, migrate
    from freehold.store.database import Database
    from freehold.store.schema import create_missing

    source = service.settings.tables_url
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

"""`freehold backup`: everything that a service holds, in one file, while it goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.output import AsJson, write_json
from freehold.cli.passphrase import Passphrase, given_passphrase
from freehold.cli.progress import Told, shown
from freehold.cli.running import files_of, freehold_app
from freehold.cli.target import AppOption
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.backup import Made
    from freehold.web.app import Freehold


def command(
    target: Annotated[Path, typer.Argument(help="The file to write: bookstore.tar, or .tar.gz to compress it.")],
    *,
    passphrase_file: Passphrase = None,
    without_secret: Annotated[
        bool, typer.Option("--without-secret", help="Leave FREEHOLD_SECRET out; it has to be kept elsewhere.")
    ] = False,
    without_files: Annotated[
        bool, typer.Option("--without-files", help="Leave the files out: their store has backups of its own.")
    ] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read it back and check it.")] = False,
    json: AsJson = False,
    app: AppOption = None,
) -> None:
    """Write the rows of one moment, the files and the secret into TARGET, beside a running service.

    What was acknowledged before it began is in it. The secret, which opens signing keys and the audit chain, is sealed
    under a passphrase (FREEHOLD_BACKUP_PASSPHRASE, --passphrase-file, or asked for).
    """
    service = freehold_app(app)
    sealed = None if without_secret else _sealed(service, passphrase_file)
    with shown() as told:
        made = asyncio.run(_made(service, target, sealed, with_files=not without_files, told=told))
        faults = asyncio.run(_verified(service, target, told)) if verify else []
    _tell(made, json=json, verified=verify, faults=faults, service=service)
    if faults:
        raise typer.Exit(1)


def _sealed(service: Freehold, passphrase_file: Path | None) -> bytes:
    from freehold.backup.sealed_secret import seal

    passphrase = given_passphrase(passphrase_file, twice=True)
    if passphrase is None:
        raise ConfigurationError(
            "Give a passphrase for the secret (FREEHOLD_BACKUP_PASSPHRASE or --passphrase-file), or leave it out: --without-secret."
        )
    return seal(service.settings.secret_value, passphrase)


async def _made(service: Freehold, target: Path, sealed: bytes | None, *, with_files: bool, told: Told) -> Made:
    from freehold.backup import back_up
    from freehold.errors import Unavailable

    await service.database.start()
    try:
        return await back_up(
            target,
            service=service.title,
            url=service.settings.tables_url,
            files=files_of(service) if with_files else None,
            library=service.library,
            sealed_secret=sealed,
            told=told,
        )
    except (Unavailable, OSError) as error:
        said = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigurationError(f"No backup was made: {said}") from error
    finally:
        await service.database.close()


async def _verified(service: Freehold, target: Path, told: Told) -> list[str]:
    from freehold.backup.archive import Archive
    from freehold.backup.restoring import examine

    return (await examine(Archive(target), folder=service.settings.var_dir, told=told)).faults


def _tell(made: Made, *, json: bool, verified: bool, faults: list[str], service: Freehold) -> None:
    manifest = made.manifest
    if json:
        write_json(
            {
                "target": str(made.path), "size_bytes": made.size_bytes, "made_at": manifest.made_at,
                "database": manifest.database, "tables": manifest.tables, "rows": manifest.rows,
                "files": len(manifest.stored) if manifest.files else None, "media_without_file": made.lost,
                "secret": manifest.has_secret, "verified": verified and not faults, "faults": faults,
            }
        )  # fmt: skip
        return
    held = f", {len(manifest.stored):,} files" if manifest.files else ", no files"
    sealed = "the secret, sealed" if manifest.has_secret else "no secret: keep FREEHOLD_SECRET elsewhere"
    typer.echo(
        f"{made.path}: {manifest.rows:,} rows of {len(manifest.tables)} tables{held}, {sealed}; {made.size_bytes:,} bytes"
    )
    if made.lost:
        typer.echo(f"{made.lost} media of the service have no file; the backup cannot have one either", err=True)
    for fault in faults:
        typer.echo(f"fault: {fault}", err=True)
    if verified and not faults:
        typer.echo("read back: every part is as it was written")

"""`freehold restore`: a service from its backup, checked before and after."""

from __future__ import annotations

import asyncio
import os
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
    from freehold.backup.restoring import Restored
    from freehold.web.app import Freehold


def command(
    source: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    passphrase_file: Passphrase = None,
    without_secret: Annotated[
        bool, typer.Option("--without-secret", help="Leave the sealed secret alone: FREEHOLD_SECRET is the service's.")
    ] = False,
    secret_to: Annotated[
        Path | None, typer.Option("--secret-to", help="Only write the secret of the backup into this file.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also where the target holds rows or files.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Only check the backup, and change nothing.")] = False,
    json: AsJson = False,
    app: AppOption = None,
) -> None:
    """Put SOURCE back into FREEHOLD_DATABASE_URL and the store of files. Stop the service before.

    The whole backup is checked before anything is changed; afterwards rows, files and the audit chain are checked again.
    Ends with 1 where something is not as it was. A target that holds rows or files is refused without --replace.
    """
    service = freehold_app(app)
    secret = None if without_secret or (verify and secret_to is None) else _secret(source, passphrase_file)
    if secret_to is not None:
        _write_secret(secret_to, secret)
        return
    if secret is not None:
        _refuse_another(service, secret)
    with shown() as told:
        restored = asyncio.run(
            _checked(service, source, told) if verify else _restored(service, source, told, replace=replace)
        )
    if secret is not None and secret != service.settings.secret_value:
        _write_secret(service.settings.var_dir / "secret", secret, replace=True)
    if not verify:
        asyncio.run(forget_answers(service, restored.notes))
        asyncio.run(_look_inside(service, restored, secret or service.settings.secret_value))
    _tell(source, restored, json=json, verify=verify)
    if restored.faults:
        raise typer.Exit(1)


def _secret(source: Path, passphrase_file: Path | None) -> str | None:
    from freehold.backup.archive import Archive
    from freehold.backup.restoring import secret_of
    from freehold.backup.sealed_secret import unseal

    sealed = asyncio.run(secret_of(Archive(source)))
    if sealed is None:
        return None
    passphrase = given_passphrase(passphrase_file, twice=False)
    if passphrase is None:
        raise ConfigurationError(
            "The backup holds the secret: give its passphrase (FREEHOLD_BACKUP_PASSPHRASE or --passphrase-file), or "
            "--without-secret where FREEHOLD_SECRET is the service's already."
        )
    return unseal(sealed, passphrase)


def _refuse_another(service: Freehold, secret: str) -> None:
    """A secret that was given to the process cannot be changed from here."""
    from freehold.settings.environ import read

    if secret != service.settings.secret_value and read(None, env_file=None).get("FREEHOLD_SECRET"):
        raise ConfigurationError(
            "FREEHOLD_SECRET is not the secret of the backup: signing keys and the audit chain would not open. Write that one "
            "into a file with --secret-to, and set FREEHOLD_SECRET to it. Nothing was changed."
        )


def _write_secret(path: Path, secret: str | None, *, replace: bool = False) -> None:
    if secret is None:
        raise ConfigurationError("The backup holds no secret: it was made --without-secret.")
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        if not replace and path.exists():
            raise ConfigurationError(f"{path} exists already.")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({error.strerror}).") from None
    typer.echo(f"the secret of the service is in {path}, readable by you alone", err=True)


async def _checked(service: Freehold, source: Path, told: Told) -> Restored:
    from freehold.backup.archive import Archive
    from freehold.backup.restoring import examine

    return await examine(Archive(source), folder=service.settings.var_dir, told=told)


async def _restored(service: Freehold, source: Path, told: Told, *, replace: bool) -> Restored:
    from freehold.backup.archive import Archive
    from freehold.backup.restoring import restore
    from freehold.errors import Unavailable

    given = service.settings
    try:
        return await restore(
            Archive(source),
            url=given.tables_url,
            files=files_of(service),
            folder=given.var_dir,
            replace=replace,
            told=told,
        )
    except (Unavailable, OSError) as error:
        said = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigurationError(
            f"Not restored: {said}. The rows are as they were; the same command goes on."
        ) from error


async def forget_answers(service: Freehold, notes: list[str]) -> None:
    """What is kept in Redis was made from other rows."""
    from freehold.remote import Away
    from freehold.store.touched import Watchers

    if service.redis is None:
        return
    await service.redis.open()
    try:
        await service.database.parts[Watchers].has_been_replaced()
    except Away:
        notes.append("Redis is away, and may hold answers from before: empty it before the service starts")
    finally:
        await service.redis.close()


async def _look_inside(service: Freehold, restored: Restored, secret: str) -> None:
    """What takes the service itself: the audit chain, and rows of media against their files."""
    from sqlalchemy.exc import SQLAlchemyError

    from freehold.backup.media_check import alive
    from freehold.media.variants import original_key
    from freehold.resource.principal import system
    from freehold.store.audit_check import examine

    await service.database.start()
    try:
        async with service.database.reading(system("freehold restore")) as session:
            verdict = await examine(session, key=secret.encode())
        restored.faults += [f"audit: {fault}" for fault in verdict.faults[:10]]
        if service.library is not None and restored.manifest.files:
            stored = restored.manifest.stored
            restored.without_file = sum(original_key(each) not in stored for each in await alive(service.library))
    except SQLAlchemyError:
        restored.notes.append(
            "the schema is older than the code: run `freehold migrate up`, then `freehold audit verify`"
        )
    finally:
        await service.database.close()


def _tell(source: Path, restored: Restored, *, json: bool, verify: bool) -> None:
    manifest = restored.manifest
    if json:
        write_json(
            {
                "source": str(source), "made_at": manifest.made_at, "restored": not verify, "tables": manifest.tables,
                "rows": manifest.rows, "files": len(manifest.stored) if manifest.files else None,
                "media_without_file": restored.without_file, "notes": restored.notes, "faults": restored.faults,
            }
        )  # fmt: skip
        return
    for fault in restored.faults:
        typer.echo(f"fault: {fault}", err=True)
    for note in restored.notes:
        typer.echo(note, err=True)
    held = f"{manifest.rows:,} rows of {len(manifest.tables)} tables, {len(manifest.stored):,} files"
    if verify:
        typer.echo(f"{source} of {manifest.made_at}: {held}; {'damaged' if restored.faults else 'whole'}")
        return
    typer.echo(f"restored {held} as of {manifest.made_at}{'' if restored.faults else '; all checks passed'}")
    if restored.without_file:
        typer.echo(
            f"{restored.without_file} media were deleted while the backup was made; the sweep removes their rows"
        )

"""Putting a backup back: looked at whole before anything is changed, files first, then the rows at once, then checked."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from freehold.backup.archive import DUMPS, Archive
from freehold.backup.dumps import Dump, Progress, differences, dump_of
from freehold.backup.manifest import FILES, SECRET, Manifest
from freehold.errors import ConfigurationError
from freehold.media import Files

_PIECE_BYTES = 1024 * 1024
# Written by migrations, in an empty service too.
_VERSIONS = ("alembic_version", "freehold_alembic_version")


@dataclass(slots=True)
class Restored:
    """What was put back. faults: what is not as the manifest says; empty where all is well.

    notes: what could not be checked. without_file: media whose file was deleted while the backup was made.
    """

    manifest: Manifest
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    without_file: int = 0


async def restore(
    archive: Archive, *, url: str, files: Files | None, folder: Path, replace: bool = False, told: Progress
) -> Restored:
    """Put everything back. folder: for the dump, while it is read.

    Raises ConfigurationError, with the target as it was, for a damaged backup, for another kind of database, and unless
    `replace` for a target that holds something. Broken off while it copies files, the same command goes on.
    """
    manifest, dump = await asyncio.to_thread(archive.verify), dump_of(url)
    if manifest.database != dump.kind:
        raise ConfigurationError(
            f"The backup is of {manifest.database}, FREEHOLD_DATABASE_URL names {dump.kind}. Restore it into "
            f"{manifest.database} and move it with `freehold copy`."
        )
    if manifest.stored and files is None:
        raise ConfigurationError("The backup holds files, and this service has none: it was made without media.")
    strangers = await _look(dump, files, manifest, replace=replace)
    with tempfile.TemporaryDirectory(dir=_made(folder), prefix="restore-") as staging:
        path = Path(staging) / "dump"
        await _unpack(archive, manifest, files, path, told)
        await dump.put_back(path, told)
    for key in strangers:
        assert files is not None
        await files.delete(key)
    return Restored(manifest, await _compare(dump, files, manifest))


async def examine(archive: Archive, *, folder: Path, told: Progress) -> Restored:
    """Look at a backup without putting it back: every digest, and whether its dump can be read."""
    manifest = await asyncio.to_thread(archive.verify)
    with tempfile.TemporaryDirectory(dir=_made(folder), prefix="restore-") as staging:
        path = Path(staging) / "dump"
        await _unpack(archive, manifest, None, path, told)
        return Restored(manifest, await dump_of(f"{manifest.database}://").look_at(path, manifest.tables))


async def secret_of(archive: Archive) -> bytes | None:
    """The sealed secret; None where there is none."""
    return await asyncio.to_thread(
        lambda: next((file.read() for name, file, _ in archive.parts() if name == SECRET), None)
    )


async def _look(dump: Dump, files: Files | None, manifest: Manifest, *, replace: bool) -> list[str]:
    """What the store holds that is not of this backup. Raises for a target that is not empty."""
    there = [] if files is None else [each async for each in files.list("")]
    stored = manifest.stored
    strangers = [each.key for each in there if each.key not in stored or stored[each.key].size_bytes != each.size_bytes]
    if replace:
        return strangers
    full = sorted(name for name, rows in (await dump.tables()).items() if rows and name not in _VERSIONS)
    if full:
        raise ConfigurationError(
            f"The database is not empty: {', '.join(full[:5])}{' and more' if len(full) > 5 else ''} hold rows. Nothing was "
            "changed. With --replace everything in it is replaced."
        )
    if strangers:
        raise ConfigurationError(
            f"The store of files is not empty: it holds {len(strangers)} that are not of this backup. Nothing was changed. "
            "With --replace they are deleted."
        )
    return []


async def _unpack(archive: Archive, manifest: Manifest, files: Files | None, dump: Path, told: Progress) -> None:
    """Write the dump to `dump` and the files to their store, but for those that are there with their length."""
    count = 0
    parts = archive.parts()
    while (part := await asyncio.to_thread(_next, parts)) is not None:
        name, file, size = part
        if name in DUMPS:
            with dump.open("xb") as staged:
                async for piece in _pieces(file):
                    await asyncio.to_thread(staged.write, piece)
        elif name.startswith(FILES) and files is not None:
            key, count = name.removeprefix(FILES), count + 1
            found = await files.stat(key)
            if found is None or found.size_bytes != size:
                await files.put(key, _pieces(file))
            told("files", count, len(manifest.stored))


def _next(parts: Iterator[tuple[str, IO[bytes], int]]) -> tuple[str, IO[bytes], int] | None:
    return next(parts, None)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
        yield piece


async def _compare(dump: Dump, files: Files | None, manifest: Manifest) -> list[str]:
    faults = await dump.faults()
    faults += differences(manifest.tables, await dump.tables())
    if files is not None:
        there = {each.key: each.size_bytes async for each in files.list("")}
        wrong = [key for key, entry in manifest.stored.items() if there.get(key) != entry.size_bytes]
        faults += [f"the file {key} is not there as it was" for key in wrong[:10]]
    return faults


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder

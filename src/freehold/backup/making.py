"""Making a backup while the service goes on.

First the files, then the rows of one moment, then the files that came in between: a file is in the store before its row is
committed, so that every row of that moment finds its file, unless that was deleted while the backup was made.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from freehold.backup.archive import Writer
from freehold.backup.dumps import Progress, dump_of
from freehold.backup.manifest import FILES, SECRET, Manifest
from freehold.backup.media_check import alive
from freehold.errors import ConfigurationError
from freehold.media import Files, Library
from freehold.media.variants import original_key


@dataclass(frozen=True, slots=True)
class Made:
    """What was made. lost: media that had no file in the first place, in the service itself."""

    path: Path
    size_bytes: int
    manifest: Manifest
    lost: int


async def back_up(
    target: Path,
    *,
    service: str,
    url: str,
    files: Files | None = None,
    library: Library | None = None,
    sealed_secret: bytes | None = None,
    told: Progress,
) -> Made:
    """Write everything that was committed before the call, or nothing. library: its database must be open.

    Raises ConfigurationError where the target exists or cannot be written, and for what `Dump` cannot do.
    """
    dump = dump_of(url)
    with Writer(target) as archive:
        taken: set[str] = set()
        before = await alive(library) if library is not None and files is not None else set()
        await _take_files(archive, files, taken, told)
        with archive.staging() as path:
            dumped = await dump.write(path, told)
            if not dumped.tables:
                raise ConfigurationError(
                    "FREEHOLD_DATABASE_URL names a database that holds no tables; no backup was made."
                )
            await asyncio.to_thread(archive.add, dump.entry, path)
        await _take_files(archive, files, taken, told)
        after = await alive(library) if library is not None and files is not None else set()
        if sealed_secret is not None:
            archive.add_bytes(SECRET, sealed_secret)
        manifest = Manifest(
            service=service,
            freehold=version("freehold"),
            made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            database=dump.kind,
            server=dumped.server,
            dump=dump.entry,
            tables=dumped.tables,
            files=files is not None,
        )
        await asyncio.to_thread(archive.finish, manifest)
    lost = [each for each in before & after if original_key(each) not in taken]
    return Made(target, archive.size_bytes, manifest, len(lost))


async def _take_files(archive: Writer, files: Files | None, taken: set[str], told: Progress) -> None:
    """Take in what is not in it yet. Bytes of a key never change."""
    if files is None:
        return
    new = [each.key async for each in files.list("") if each.key not in taken]
    for number, key in enumerate(new, start=1):
        try:
            async with files.local(key) as path:
                await asyncio.to_thread(archive.add, FILES + key, path)
        except FileNotFoundError:
            continue  # deleted meanwhile
        taken.add(key)
        told("files", number, len(new))

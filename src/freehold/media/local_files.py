"""Files in a local folder: written beside, synced, then renamed into place."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4

from freehold.media.files import CHUNK_BYTES, Stored, checked


async def _opened(path: Path, mode: str, buffering: int = -1) -> IO[bytes]:
    """The open file. One whose caller is cancelled meanwhile is opened by its thread all the same, and then closed."""
    opening = asyncio.create_task(asyncio.to_thread(path.open, mode, buffering))
    try:
        return cast("IO[bytes]", await asyncio.shield(opening))
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


def _close(opening: asyncio.Task[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class LocalFiles:
    """Objects below one folder, which is made where it is missing. Several processes of one machine may share it."""

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._drafts = folder / "drafts"

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """See `Files`."""
        draft, size = self._draft(), 0
        try:
            with await _opened(draft, "xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(self._place, draft, self._path(key))
        finally:
            draft.unlink(missing_ok=True)
        return size

    async def adopt(self, key: str, path: Path, *, content_type: str | None = None) -> None:
        """See `Files`."""
        await asyncio.to_thread(self._take_over, path, self._path(key))

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `Files`."""
        with await _opened(self._path(key), "rb", 0) as file:
            if start:
                file.seek(start)
            left = CHUNK_BYTES if end is None else end - start
            while left > 0:
                chunk = await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))
                if not chunk:
                    return
                yield chunk
                if end is not None:
                    left -= len(chunk)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """See `Files`: the stored file itself."""
        path = self._path(key)
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(errno.ENOENT, "no such object", key)
        yield path

    async def stat(self, key: str) -> Stored | None:
        """See `Files`."""
        return await asyncio.to_thread(self._stat, key)

    async def delete(self, key: str) -> None:
        """See `Files`. Folders that it leaves empty go too."""
        await asyncio.to_thread(self._remove, self._path(key))

    async def address_to_put(self, key: str, *, lifetime: timedelta) -> str | None:
        """See `Files`: a folder takes nothing from clients."""
        return None

    async def address_to_get(self, key: str, *, lifetime: timedelta) -> str | None:
        """See `Files`: a folder gives nothing to clients."""
        return None

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """See `Files`."""
        below = self._path(prefix.rstrip("/")) if prefix.rstrip("/") else self._objects
        for each in await asyncio.to_thread(lambda: list(self._walk(below))):
            yield each

    async def sweep_drafts(self, *, before: datetime) -> int:
        """Remove what writers that died have left half written; how many."""
        return await asyncio.to_thread(self._sweep_drafts, before.timestamp())

    def _path(self, key: str) -> Path:
        return self._objects / checked(key)

    def _draft(self) -> Path:
        self._drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._drafts / uuid4().hex

    def _take_over(self, path: Path, target: Path) -> None:
        try:
            self._place(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = self._draft()
            shutil.copyfile(path, draft)
            self._place(draft, target)
            path.unlink()

    def _place(self, draft: Path, target: Path) -> None:
        _sync(draft)
        for attempts_left in reversed(range(10)):
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                draft.replace(target)
                break
            except FileNotFoundError:
                # A deletion beside this one may take the folder away again in between, because it is empty.
                if not attempts_left:
                    raise
        for folder in (target.parent, target.parent.parent):  # the second: the first may be new, and its name too
            _sync(folder)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._objects or self._objects not in folder.parents:
                return
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return

    def _stat(self, key: str) -> Stored | None:
        try:
            found = self._path(key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stored(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def _walk(self, below: Path) -> Iterator[Stored]:
        for folder, _, names in os.walk(below):
            for name in sorted(names):
                stored = self._stat((Path(folder) / name).relative_to(self._objects).as_posix())
                if stored is not None:
                    yield stored

    def _sweep_drafts(self, before: float) -> int:
        swept = 0
        for draft in self._drafts.glob("*") if self._drafts.is_dir() else ():
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < before:
                    draft.unlink()
                    swept += 1
        return swept


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

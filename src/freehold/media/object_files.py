"""Files in an object store (S3, GCS, Azure, a folder, memory), through obstore. Needs `pip install "freehold[media]"`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import obstore
from obstore.store import from_url

from freehold.media.files import CHUNK_BYTES, Stored, checked

_PIECE_BYTES = 8 * 1024 * 1024  # of a multipart upload; S3 takes none below 5 MiB but the last


class ObjectFiles:
    """Objects in one bucket or below one prefix of it. url: `s3://bucket/prefix`, `gs://…`, `az://…`, `memory://`.

    Credentials come from the environment, as the store's own tools read them.
    """

    def __init__(self, url: str) -> None:
        self._store: Any = from_url(url)

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """See `Files`."""
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in chunks:
                size += len(chunk)
                yield chunk

        # Written piece by piece: the object is there only once the last piece has been acknowledged.
        await obstore.put_async(self._store, checked(key), counted(), chunk_size=_PIECE_BYTES, max_concurrency=2)
        return size

    async def adopt(self, key: str, path: Path) -> None:
        """See `Files`."""
        await obstore.put_async(self._store, checked(key), path, chunk_size=_PIECE_BYTES, max_concurrency=2)
        await asyncio.to_thread(path.unlink)

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `Files`."""
        if end is not None and end <= start:
            return
        options: Any = (
            {} if not start and end is None else {"range": {"offset": start} if end is None else (start, end)}
        )
        found = await obstore.get_async(self._store, checked(key), options=options)
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """See `Files`: a copy that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
            path = Path(folder) / "object"
            with await asyncio.to_thread(path.open, "xb") as file:
                async for chunk in self.read(key):
                    await asyncio.to_thread(file.write, chunk)
            yield path

    async def stat(self, key: str) -> Stored | None:
        """See `Files`."""
        try:
            return _stored(await obstore.head_async(self._store, checked(key)))
        except FileNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """See `Files`."""
        try:
            await obstore.delete_async(self._store, checked(key))
        except FileNotFoundError:
            return

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """See `Files`."""
        async for page in obstore.list(self._store, prefix.rstrip("/") or None):
            for each in page:
                yield _stored(each)


def _stored(found: Any) -> Stored:
    return Stored(found["path"], found["size"], found["last_modified"].astimezone(UTC))

"""Files in an object store (S3, GCS, Azure, a folder, memory), through obstore. Needs `pip install "freehold[media]"`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from freehold.media.files import CHUNK_BYTES, Stored, checked

_PIECE_BYTES = 8 * 1024 * 1024  # of a multipart upload; S3 takes none below 5 MiB but the last
# A request waits for the store: not the three minutes that the library tries for by itself.
# Whether it is reached by TLS is said by the endpoint's own address (AWS_ENDPOINT_URL); without one it always is.
_CLIENT: Any = {"timeout": timedelta(seconds=20), "connect_timeout": timedelta(seconds=3), "allow_http": True}
_RETRIES: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}


class StoreUnreachable(ConnectionError):
    """The object store does not answer, or refuses our credentials. Answered as 503."""


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StoreUnreachable("the object store cannot be used") from error


class ObjectFiles:
    """Objects in one bucket or below one prefix of it. url: `s3://bucket/prefix`, `gs://…`, `az://…`, `memory://`.

    folder: on this machine, for copies that are worked on. Credentials come from the environment, as the store's own
    tools read them. Every method raises StoreUnreachable when the store does not do its part.
    """

    def __init__(self, url: str, *, folder: Path) -> None:
        is_remote = not url.startswith(("memory:", "file:"))
        options: Any = {"client_options": _CLIENT, "retry_config": _RETRIES} if is_remote else {}
        self._store: Any = from_url(url, **options)
        self._folder = folder
        self._signs = isinstance(self._store, S3Store | GCSStore | AzureStore)

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """See `Files`."""
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in chunks:
                size += len(chunk)
                yield chunk

        # Written piece by piece: the object is there only once the last piece has been acknowledged.
        with _reached():
            await obstore.put_async(self._store, checked(key), counted(), chunk_size=_PIECE_BYTES, max_concurrency=2)
        return size

    async def adopt(self, key: str, path: Path, *, content_type: str | None = None) -> None:
        """See `Files`. What a client fetches from the store itself is a download, as it is from us."""
        said: Any = {"Content-Type": content_type, "Content-Disposition": "attachment"} if content_type else None
        with _reached():
            await obstore.put_async(
                self._store,
                checked(key),
                path,
                attributes=said if self._signs else None,
                chunk_size=_PIECE_BYTES,
                max_concurrency=2,
            )
        await asyncio.to_thread(path.unlink)

    async def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `Files`."""
        if end is not None and end <= start:
            return
        options: Any = (
            {} if not start and end is None else {"range": {"offset": start} if end is None else (start, end)}
        )
        with _reached():
            found = await obstore.get_async(self._store, checked(key), options=options)
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        """See `Files`: a copy that is gone afterwards."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / "object"
            with await asyncio.to_thread(path.open, "xb") as file:
                async for chunk in self.read(key):
                    await asyncio.to_thread(file.write, chunk)
            yield path

    async def stat(self, key: str) -> Stored | None:
        """See `Files`."""
        try:
            with _reached():
                return _stored(await obstore.head_async(self._store, checked(key)))
        except FileNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """See `Files`."""
        with suppress(FileNotFoundError), _reached():
            await obstore.delete_async(self._store, checked(key))

    async def address_to_put(self, key: str, *, lifetime: timedelta) -> str | None:
        """See `Files`. Neither length nor type are in the signature: they are looked at once the object is there."""
        return await self._address("PUT", key, lifetime)

    async def address_to_get(self, key: str, *, lifetime: timedelta) -> str | None:
        """See `Files`."""
        return await self._address("GET", key, lifetime)

    async def _address(self, method: Any, key: str, lifetime: timedelta) -> str | None:
        if not self._signs:
            return None
        with _reached():
            return await obstore.sign_async(self._store, method, checked(key), lifetime)

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """See `Files`."""
        with _reached():
            async for page in obstore.list(self._store, prefix.rstrip("/") or None):
                for each in page:
                    yield _stored(each)


def _stored(found: Any) -> Stored:
    return Stored(found["path"], found["size"], found["last_modified"].astimezone(UTC))

"""The port to where files are kept. `LocalFiles` is its embedded form, `ObjectFiles` the one for object stores.

A key is a path of our own making: lower-case letters, digits, `-`, `_`, `.` and `/`, never anything that a client sent.
An object appears whole or not at all, and is durable when the call returns. Bytes of an object never change: what has
other bytes has another key.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 256 * 1024

_KEY = re.compile(r"[a-z0-9_-][a-z0-9._-]*(?:/[a-z0-9_-][a-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is there."""

    key: str
    size_bytes: int
    modified_at: datetime


class Files(Protocol):
    """Where objects are kept."""

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """Write an object from a stream; its length. When the stream raises, nothing is left."""
        ...

    async def adopt(self, key: str, path: Path, *, content_type: str | None = None) -> None:
        """Make a local file an object. The file is gone afterwards. content_type: said by a store that answers clients."""
        ...

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError."""
        ...

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """The object as a local file that nobody writes to, for the length of the block. Raises FileNotFoundError."""
        ...

    async def stat(self, key: str) -> Stored | None:
        """What is known of an object; None where there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object. Without effect where there is none."""
        ...

    async def address_to_put(self, key: str, *, lifetime: timedelta) -> str | None:
        """Where a client may PUT this object by itself, for so long; None for a store that takes nothing from clients."""
        ...

    async def address_to_get(self, key: str, *, lifetime: timedelta) -> str | None:
        """Where a client may GET this object by itself, for so long; None for a store that gives nothing to clients."""
        ...

    def list(self, prefix: str) -> AsyncIterator[Stored]:
        """Every object whose key begins with `prefix`, which ends with `/`."""
        ...


def checked(key: str) -> str:
    """The key itself. Raises ValueError for one that no part of Freehold would make."""
    if len(key) > 500 or not _KEY.fullmatch(key):
        raise ValueError("that is no key of a stored object")
    return key


async def delete_below(files: Files, prefix: str) -> int:
    """Remove every object below a prefix; how many."""
    found = [each.key async for each in files.list(prefix)]
    for key in found:
        await files.delete(key)
    return len(found)

"""Stored files moved from one store to another: each read back and compared, and gone on with where it broke off."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass

from freehold.errors import ConfigurationError
from freehold.media.files import Files, Stored

_SAY_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """What was copied, and how many files were there before."""

    files: int
    size_bytes: int
    there_before: int


async def copy_files(source: Files, target: Files, *, say: Callable[[str], None] = print) -> CopiedFiles:
    """Copy every file, uploads that are under way too. One that is there with its length is left: bytes never change.

    Raises ConfigurationError when a file comes back from the target as another one; it is removed there.
    """
    files = size_bytes = there_before = 0
    async for each in source.list(""):
        found = await target.stat(each.key)
        if found is not None and found.size_bytes == each.size_bytes:
            there_before += 1
            continue
        size_bytes += await _copy(source, target, each)
        files += 1
        if files % _SAY_EVERY == 0:
            say(f"{files:,} files, {size_bytes:,} bytes")
    return CopiedFiles(files, size_bytes, there_before)


async def _copy(source: Files, target: Files, each: Stored) -> int:
    sent, came_back = hashlib.sha256(), hashlib.sha256()
    size = await target.put(each.key, _hashed(source.read(each.key), sent))
    async for piece in target.read(each.key):
        came_back.update(piece)
    if sent.digest() != came_back.digest():
        await target.delete(each.key)
        raise ConfigurationError(f"The file {each.key} came back from the new store as another one.")
    return size


async def _hashed(pieces: AsyncIterable[bytes], digest: hashlib._Hash) -> AsyncIterator[bytes]:
    async for piece in pieces:
        digest.update(piece)
        yield piece

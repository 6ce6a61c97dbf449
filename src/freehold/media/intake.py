"""A file while it comes in: counted, hashed and written aside, then judged, then kept. Never whole in memory."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID, uuid4

from freehold.errors import TooLarge, UnsupportedMediaType
from freehold.media.declaration import Purpose
from freehold.media.formats import HEAD_BYTES, Format, told_by
from freehold.media.library import Library
from freehold.media.names import extension_of
from freehold.media.variants import original_key
from freehold.media.workshop import PictureRefused

_BUFFER_BYTES = 512 * 1024


class TypeRefused(UnsupportedMediaType):
    """The file is not of a type that is taken for this purpose, or not what its name and declared type say."""

    code, title = "media.type_refused", "File type refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a file turned out to be."""

    format: Format
    width: int | None = None
    height: int | None = None


class Intake:
    """Takes the bytes of one file. Leaving the block removes what was not kept."""

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        self.path = folder / uuid4().hex
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self.head = b""
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self.path.unlink(missing_ok=True)

    async def write(self, data: bytes) -> None:
        """Take more of it. Raises TooLarge past the limit."""
        self.size_bytes += len(data)
        if self.size_bytes > self.limit_bytes:
            raise too_large(self.limit_bytes)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            await self._flush()

    async def close(self) -> None:
        """That was all of it."""
        await self._flush()
        assert self._file is not None
        self._file.close()

    @property
    def digest(self) -> str:
        """SHA-256 of what was taken, in hexadecimal."""
        return self._digest.hexdigest()

    async def _flush(self) -> None:
        buffered, self._buffer = bytes(self._buffer), bytearray()
        await asyncio.to_thread(self._put, buffered)

    def _put(self, data: bytes) -> None:
        if self._file is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self.path.open("xb")
        self._digest.update(data)
        self._file.write(data)


def too_large(limit_bytes: int) -> TooLarge:
    """413 that ends the connection: the rest is not read."""
    return TooLarge(f"The limit is {limit_bytes} bytes.", headers={"Connection": "close"})


async def judge(
    library: Library, intake: Intake, purpose: Purpose, *, filename: str | None, declared: str | None
) -> Judged:
    """Tell what a file is by its content, and hold that against its name and declared type.

    Raises TooLarge, or TypeRefused with a sentence for the sender.
    """
    if intake.size_bytes > purpose.max_bytes:
        raise too_large(purpose.max_bytes)
    found = told_by(intake.head)
    taken = ", ".join(each.content_type for each in purpose.formats)
    if found is None or found not in purpose.formats:
        raise TypeRefused(f"The content of the file is not one of {taken}.", headers={"Accept": taken})
    if not found.agrees(declared=declared, extension=extension_of(filename)):
        raise TypeRefused(f"The content is {found.content_type}; the name or the declared type says something else.")
    if found.kind != "image":
        return Judged(found)
    try:
        width, height = await library.workshop.look(
            intake.path, content_type=found.content_type, max_pixels=library.media.max_pixels
        )
    except PictureRefused as refused:
        raise TypeRefused(str(refused)) from None
    return Judged(found, width, height)


async def store(library: Library, intake: Intake, medium_id: UUID, *, content_type: str) -> None:
    """Put the file where it will be kept. Its row is to follow at once; the sweep removes it otherwise."""
    await library.files.adopt(original_key(medium_id), intake.path, content_type=content_type)

"""Uploads straight to the object store: the client sends the parts of a file to addresses that the store takes.

The upload is begun as any other (`POST /uploads`), so that quota, form and owner are judged before a byte is sent. What came is judged
like every other file once it is complete: nothing that a client says of it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, update

from freehold.errors import Conflict
from freehold.media.files import Files
from freehold.media.tables import UPLOADS
from freehold.media.uploads import OffsetConflict
from freehold.resource import clock
from freehold.store.session import Session

PART_BYTES = 64 * 1024 * 1024
LIFETIME = timedelta(hours=1)
_KEY = "uploads/{}/part-{:05}"


class NotDirect(Conflict):
    """The store of this service takes nothing from clients: send the file to the service, by tus."""

    code, title = "media.not_direct", "The store takes no files from clients"


class Incomplete(Conflict):
    """Not all parts are in the store with their length."""

    code, title = "media.upload_incomplete", "Parts are missing"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: `length` bytes from `start`, to be sent by PUT to `url`."""

    start: int
    length: int
    url: str


def planned(upload: Row[Any]) -> list[tuple[str, int, int]]:
    """The parts that a file of this size is sent in: key, start, length."""
    starts = range(0, upload.size_bytes, PART_BYTES)
    return [
        (_KEY.format(upload.id, number), start, min(PART_BYTES, upload.size_bytes - start))
        for number, start in enumerate(starts)
    ]


def is_direct(upload: Row[Any]) -> bool:
    """Whether its parts were asked for."""
    return bool(upload.pieces) and upload.pieces == [key for key, _, _ in planned(upload)]


async def parts(files: Files, upload: Row[Any]) -> tuple[list[Part], datetime]:
    """The addresses of its parts, and until when they are good. Raises NotDirect."""
    ends_at, made = clock.now() + LIFETIME, []
    for key, start, length in planned(upload):
        url = await files.address_to_put(key, lifetime=LIFETIME)
        if url is None:
            raise NotDirect("Send it by PATCH, as tus has it.")
        made.append(Part(start, length, url))
    return made, ends_at


async def claim(db: Session, upload: Row[Any]) -> None:
    """Note the parts as its pieces, which counts as all of it: from now on no PATCH is taken. Raises OffsetConflict."""
    if is_direct(upload):
        return
    keys = [key for key, _, _ in planned(upload)]
    fresh = (UPLOADS.c.id == upload.id, UPLOADS.c.state == "open", UPLOADS.c.offset_bytes == 0)
    statement = (
        update(UPLOADS).where(*fresh).values(pieces=keys, offset_bytes=upload.size_bytes).returning(UPLOADS.c.id)
    )
    if not upload.size_bytes or upload.offset_bytes or (await db.execute(statement)).first() is None:
        raise OffsetConflict("Part of this upload has come another way already: go on with PATCH.")


async def require_complete(files: Files, upload: Row[Any]) -> None:
    """Raise Incomplete unless each part is in the store with its length."""
    missing: Sequence[str] = [
        f"{start} to {start + length - 1}"
        for key, start, length in planned(upload)
        if (found := await files.stat(key)) is None or found.size_bytes != length
    ]
    if missing:
        raise Incomplete(f"Not there with their length: bytes {', '.join(missing[:10])}.")

"""What tus 1.0 says in headers and bodies: versions, offsets, metadata, checksums, chunks."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any, ClassVar

from fastapi import Request
from sqlalchemy import Row
from starlette.requests import ClientDisconnect

from freehold.errors import BadRequest, PreconditionFailed, Problem, TooLarge
from freehold.media.uploads import PIECE_BYTES

VERSION = "1.0.0"
TUS = {"Tus-Resumable": VERSION}
CHECKSUMS = ("sha1", "sha256")
CHUNK_TYPE = "application/offset+octet-stream"


class ChecksumMismatch(Problem):
    """The chunk is not what its checksum says; none of it was kept."""

    status: ClassVar[int] = 460
    code, title = "media.checksum", "Checksum mismatch"


async def pieces_of(request: Request, left: int) -> AsyncIterator[bytes]:
    """The body in pieces. Raises TooLarge for more than the upload has left, ClientDisconnect after what had come."""
    buffer = bytearray()
    try:
        async for chunk in request.stream():
            buffer += chunk
            left -= len(chunk)
            if left < 0:
                raise TooLarge("The upload is longer than it said.", headers={"Connection": "close"})
            if len(buffer) >= PIECE_BYTES:
                yield bytes(buffer)
                buffer.clear()
    except ClientDisconnect:
        if buffer:
            yield bytes(buffer)
        raise
    if buffer:
        yield bytes(buffer)


def compare(digest: bytes, wanted: str) -> None:
    """Raise ChecksumMismatch unless this is the digest that the client has sent, in base64."""
    if not hmac.compare_digest(base64.b64encode(digest), wanted.strip().encode()):
        raise ChecksumMismatch("The chunk arrived changed: send it again.", headers=TUS)


def state_headers(upload: Row[Any]) -> dict[str, str]:
    """Where an upload stands, and until when it is kept."""
    return {
        **TUS,
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }


def require_version(request: Request) -> None:
    """Raise PreconditionFailed unless the client speaks our version."""
    if request.headers.get("tus-resumable") != VERSION:
        raise PreconditionFailed(
            f"Send Tus-Resumable: {VERSION}.", code="media.tus_version", headers={"Tus-Version": VERSION}
        )


def number_in(request: Request, name: str) -> int:
    """The number of bytes in a header. Raises BadRequest for anything else."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadRequest(f"{name.title()} is a number of bytes.", headers=TUS)
    return int(text)


def shown_in(metadata: dict[str, str], *names: str) -> str | None:
    """The first of these that was sent. PostgreSQL keeps no NUL."""
    found = next((metadata[name] for name in names if metadata.get(name)), None)
    return None if found is None else found.replace("\0", "")


def metadata_in(header: str) -> dict[str, str]:
    """The pairs of an Upload-Metadata header. Raises BadRequest for what is no base64 of UTF-8."""
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            found[name] = base64.b64decode(encoded, validate=True).decode()
        except ValueError:
            raise BadRequest("Upload-Metadata holds pairs of a name and its value in base64.", headers=TUS) from None
    return found

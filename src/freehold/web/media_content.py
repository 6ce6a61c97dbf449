"""Sending a stored file: variants by Accept, ranges, conditions, and the headers that keep it harmless."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from freehold.errors import Conflict, FieldError, Invalid, NotFound, Problem
from freehold.media.files import CHUNK_BYTES
from freehold.media.library import Library
from freehold.media.names import disposition
from freehold.media.variants import LARGEST, OUTPUTS, SIZES, original_key, variant_key
from freehold.web.preconditions import not_modified

_RANGE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*")
# The bytes of an address never change, who may see them does: a file that was deleted or hidden is gone from every
# cache after this long. Asking again costs a 304.
_FRESH = "max-age=300"


class NotReady(Conflict):
    """The variants of the picture are not made yet, or cannot be."""

    code, title = "media.not_ready", "Not ready"


class RangeNotSatisfiable(Problem):
    """The range begins behind the end of the file."""

    status, code, title = 416, "media.range", "Range not satisfiable"


@dataclass(frozen=True, slots=True)
class Content:
    """One representation of a file, as it may be sent."""

    key: str
    content_type: str
    size_bytes: int
    tag: str
    headers: Mapping[str, str] = field(default_factory=dict)


async def choose(library: Library, row: Any, *, variant: str | None, accept: str, is_public: bool) -> Content:
    """What to send of a file. Raises NotReady, NotFound where the store lacks it, Invalid for an unknown variant."""
    media = library.media
    if variant is not None and (variant not in SIZES or not media.has_variants(row)):
        raise Invalid(
            errors=[FieldError("unknown_variant", f"One of {', '.join(SIZES)}, of a picture", parameter="variant")]
        )
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
    if media.has_variants(row):
        if row.status != "ready":
            raise NotReady(
                row.failure or "Its variants are being made: ask again in a moment.", headers={"Retry-After": "1"}
            )
        size, output = variant or LARGEST, _output(accept)
        key, kind, name = variant_key(row.id, size, output), OUTPUTS[output], f"{size}.{output}"
        headers |= {
            "Vary": "Accept",
            "Content-Disposition": disposition("inline", f"{row.filename.rpartition('.')[0]}.{output}"),
        }
    else:
        key, kind, name = original_key(row.id), row.content_type, "original"
        headers["Content-Disposition"] = disposition("attachment", row.filename)
    is_private = media.is_private(row)
    headers["Cache-Control"] = (
        "no-store, private" if is_private else f"{'public' if is_public else 'private'}, {_FRESH}"
    )
    found = await library.files.stat(key)
    if found is None:
        raise NotFound
    return Content(key, kind, found.size_bytes, f'"{row.digest[:32]}-{name}"', headers)


def send(library: Library, request: Request, content: Content) -> Response:
    """The answer: 304, 206, 416 or the whole, streamed without holding up the loop."""
    headers = {**content.headers, "ETag": content.tag, "Accept-Ranges": "bytes"}
    if not_modified(request.headers, content.tag):
        return Response(status_code=304, headers=headers)
    asked = _range(request.headers, content)
    start, end = asked or (0, content.size_bytes)
    headers["Content-Length"] = str(end - start)
    if asked is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size_bytes}"
    return StreamingResponse(
        _pieces(library, content, start, end),
        206 if asked is not None else 200,
        headers=headers,
        media_type=content.content_type,
    )


async def _pieces(library: Library, content: Content, start: int, end: int) -> AsyncIterator[bytes]:
    async for piece in library.files.read(content.key, start=start, end=end):
        for at in range(0, len(piece), CHUNK_BYTES):
            yield piece[at : at + CHUNK_BYTES]


def _range(headers: Headers, content: Content) -> tuple[int, int] | None:
    """The one range that is asked for, half-open. None: the whole. Raises RangeNotSatisfiable."""
    asked = headers.get("range")
    condition = headers.get("if-range")
    if asked is None or (condition is not None and condition.strip() != content.tag):
        return None
    found = _RANGE.fullmatch(asked)
    if found is None:
        return None  # another unit, several ranges, or nonsense: the whole is always a good answer (RFC 9110 14.2)
    first, last, suffix = found.groups()
    size = content.size_bytes
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return None
    if start >= size or start >= end:
        raise RangeNotSatisfiable(f"It has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _output(accept: str) -> str:
    """The best format that a client takes: in our order, those it names; JPEG for one that names none."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        weights[kind] = float(quality) if re.fullmatch(r"[01](?:\.\d{0,3})?", quality) else 0.0
    named = {output: weights[kind] for output, kind in OUTPUTS.items() if weights.get(kind, 0) > 0}
    return max(named, key=lambda output: named[output]) if named else "jpeg"

"""An answer with an entity tag, whose bytes are there."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from freehold.web.answer import JSON, Ready
from freehold.web.preconditions import not_modified


def tagged(scope: Scope, body: bytes, tag: str, beside: Sequence[tuple[bytes, bytes]] = ()) -> Ready:
    """JSON with an entity tag, or 304 where the client has it (RFC 9110 15.4.5). beside: fields that both have."""
    told = [(b"etag", tag.encode("latin-1")), *beside]
    for name, _ in scope["headers"]:
        if name == b"if-none-match":
            if not_modified(Headers(scope=scope), tag):
                return Ready(304, told, b"")
            break
    told.append((b"content-length", b"%d" % len(body)))
    told.append(JSON)
    return Ready(200, told, body)

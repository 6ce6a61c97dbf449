"""An answer whose bytes are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from freehold.web.answer import JSON
from freehold.web.preconditions import not_modified


@dataclass(slots=True)
class Reply:
    """Status, headers and body, as an application of ASGI."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def tagged(scope: Scope, body: bytes, tag: str, beside: Sequence[tuple[bytes, bytes]] = ()) -> Reply:
    """JSON with an entity tag, or 304 where the client has it (RFC 9110 15.4.5). beside: fields that both have."""
    told = [(b"etag", tag.encode("latin-1")), *beside]
    if any(name == b"if-none-match" for name, _ in scope["headers"]) and not_modified(Headers(scope=scope), tag):
        return Reply(304, told, b"")
    return Reply(200, [*told, (b"content-length", str(len(body)).encode("latin-1")), JSON], body)

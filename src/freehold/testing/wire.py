"""One request straight into an ASGI application: proofs make thousands, and a client library is most of their cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client can tell apart. headers: in lower case, sorted."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.body[:200]!r}"


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Send a request and wait for the whole answer. An exception that leaves the application is a 500 without a body."""
    sent = {"host": "testserver", **(headers or {})}
    if body is not None:
        sent["content-length"] = str(len(body))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": urlencode(query).encode(),
        "headers": [(name.lower().encode(), text.encode("latin-1")) for name, text in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "state": {},
    }
    pending: list[Message] = [{"type": "http.request", "body": body or b"", "more_body": False}]
    received: list[Message] = []

    async def receive() -> Message:
        return pending.pop() if pending else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        received.append(message)

    try:
        await app(scope, receive, send)
    except Exception:  # noqa: BLE001  # a server logs it and closes the connection
        return Answer(500, (), b"")
    begun = next(message for message in received if message["type"] == "http.response.start")
    shown = tuple(sorted((name.decode().lower(), text.decode("latin-1")) for name, text in begun["headers"]))
    return Answer(begun["status"], shown, b"".join(message.get("body", b"") for message in received))

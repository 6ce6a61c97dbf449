"""Somebody's server for a test: it takes webhooks, and answers each path as it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Post:
    """One request. headers: by lower-case names."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass
class Receiver:
    """Made by `receiving`.

    says: the status for a path, or what tells it from the request; 204 for one that is not there. holds: awaited
    before the answer.
    """

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    says: dict[str, int | Callable[[Post], int]] = field(default_factory=dict)
    holds: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def at(self, path: str) -> list[Post]:
        """What came to a path, in order."""
        return [post for post in self.posts if post.path == path]

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def until(self, path: str, count: int, *, timeout_seconds: float = 20.0) -> None:
        """Wait until so many have come to a path. Raises TimeoutError."""
        async with asyncio.timeout(timeout_seconds), self._came:
            await self._came.wait_for(lambda: len(self.at(path)) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            path = head[0].split()[1]
            async with self._came:
                post = Post(path, headers, body)
                self.posts.append(post)
                self._came.notify_all()
            if path in self.holds:
                await self.holds[path]()
            said = self.says.get(path, 204)
            status = said if isinstance(said, int) else said(post)
            writer.write(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # who has left wants no answer
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port, around the block. `FREEHOLD_ALLOWED_RECEIVERS=127.0.0.1` lets webhooks go there."""
    found = Receiver()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()

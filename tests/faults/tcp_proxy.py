"""A line to a server that a test can cut, slow down, or let end in nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Line:
    """delay_seconds: of each piece, both ways together. is_swallowed: what comes is taken and goes nowhere."""

    def __init__(self, target: str) -> None:
        self.delay_seconds = 0.0
        self.is_swallowed = False
        self.port = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Nobody listens any more, and who was connected is not."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, to_server}
        await asyncio.gather(self._pass(reader, to_server), self._pass(from_server, writer))
        self._writers -= {writer, to_server}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                if self.is_swallowed:
                    continue
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds / 2)
                writer.write(piece)
        writer.transport.abort()


@asynccontextmanager
async def line_to(socket: str) -> AsyncIterator[Line]:
    """A line to a Unix socket, from a port of its own."""
    line = Line(socket)
    await line.open()
    try:
        yield line
    finally:
        await line.cut()

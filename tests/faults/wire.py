"""HTTP/1.1 on a bare socket: light enough that 64 clients are not what is measured, and rough where a test wants it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class Gone(Exception):
    """The server closed the connection, or was not there, before it had answered."""


@dataclass(frozen=True)
class Answer:
    """seconds: from the first byte sent to the last byte read."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem; empty for anything else."""
        return self.json["code"] if "problem+json" in self.headers.get("content-type", "") else ""


def request(method: str, path: str, *, token: str = "", body: Any = None, key: str = "") -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Content-Type: application/json"] if content else []
    lines += [f'Idempotency-Key: "{key}"'] if key else []
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One client. Connects when it has to, and again after it was cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def is_open(self) -> bool:
        """Was it used before, and is not known to be closed?"""
        return self._streams is not None

    async def ask(self, sent: bytes) -> Answer:
        """Send a request and read its answer. Raises Gone when there is none."""
        began = time.perf_counter()
        try:
            await self.send(sent)
            return await self._read(began)
        except (OSError, asyncio.IncompleteReadError, EOFError) as error:
            self.hang_up()
            raise Gone(repr(error)) from None

    async def ask_until_free(self, sent: bytes) -> Answer:
        """Ask again while a request with the same key is in flight."""
        while True:
            answer = await self.ask(sent)
            if answer.code != "idempotency.in_flight":
                return answer
            await asyncio.sleep(0.02)

    async def send(self, sent: bytes) -> None:
        """Send and do not wait for the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        self._streams[1].write(sent)
        await self._streams[1].drain()

    def hang_up(self) -> None:
        """Drop the connection without a word."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _read(self, began: float) -> Answer:
        assert self._streams is not None
        reader = self._streams[0]
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.hang_up()
        return Answer(int(head[0].split()[1]), headers, body, time.perf_counter() - began)


@contextmanager
def crowd(count: int, *ports: int) -> Iterator[list[Connection]]:
    """So many clients, dealt out to the servers, for the length of the block."""
    clients = [Connection(ports[turn % len(ports)]) for turn in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.hang_up()


async def ask(port: int, sent: bytes) -> Answer:
    """One request on a connection of its own. Raises Gone."""
    with crowd(1, port) as (client,):
        return await client.ask(sent)


async def at_once(clients: Sequence[Connection], requests: Sequence[bytes]) -> list[Answer]:
    """Every client sends one request, at the same moment."""
    return await asyncio.gather(*(client.ask(sent) for client, sent in zip(clients, requests, strict=True)))

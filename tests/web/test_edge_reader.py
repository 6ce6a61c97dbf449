"""F10: how long a client may let its answer wait, over a real connection with small buffers."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from freehold.web import edge_protocol, edge_reader
from freehold.web.edge_server import server
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

PATIENCE = 0.5
PIECE = 16 * 1024
LARGE = 4_000_000


def answering(size: int):
    """An application whose every answer is so long."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        length = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        for at in range(0, size, PIECE):
            piece = b"a" * min(PIECE, size - at)
            await send({"type": "http.response.body", "body": piece, "more_body": at + PIECE < size})

    return app


@asynccontextmanager
async def asked(
    monkeypatch: pytest.MonkeyPatch,
    *,
    size: int,
    least: int,
    head: bytes = b"",
    family: int = socket.AF_INET,
    **options: Any,
) -> AsyncIterator:
    """A client that has asked, and read nothing yet. least: what it is to take, in bytes a second."""
    monkeypatch.setattr(edge_reader, "READER_SECONDS", PATIENCE)
    monkeypatch.setattr(edge_reader, "LEAST_PER_SECOND", least)
    listener = socket.socket(family)
    listener.bind(("127.0.0.1", 0) if family == socket.AF_INET else "")  # Linux finds a name for the other
    listener.listen()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    serving = server(answering(size), host="", port=0, lifespan="off", **options)
    running = asyncio.create_task(serving.serve(sockets=[listener]))
    loop = asyncio.get_running_loop()
    with socket.socket(family) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.setblocking(False)
        await loop.sock_connect(client, listener.getsockname())
        await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
        try:
            yield client
        finally:
            serving.should_exit = True
            await running


async def taking(client: socket.socket, *, step: int, pause: float, least: int = LARGE) -> tuple[int, float, bool]:
    """Read so many bytes at a time, until that many came or none do. How many came, in what time, and whether the connection was cut off."""
    loop, began, came, is_cut = asyncio.get_running_loop(), time.monotonic(), 0, False
    try:
        while came <= least and (got := await asyncio.wait_for(loop.sock_recv(client, step), PATIENCE_SECONDS)):
            came += len(got)
            await asyncio.sleep(pause)
    except ConnectionResetError:
        is_cut = True
    return came, time.monotonic() - began, is_cut


async def test_F10_a_reader_that_takes_too_little_is_cut_however_often_the_buffers_have_room(monkeypatch) -> None:
    async with asked(monkeypatch, size=20_000_000, least=50_000_000) as client:
        _, seconds, is_cut = await taking(client, step=PIECE, pause=0.005)
    assert is_cut
    assert seconds >= PATIENCE


@pytest.mark.long
async def test_F10_a_reader_that_goes_on_taking_enough_gets_all_of_it(monkeypatch) -> None:
    async with asked(monkeypatch, size=LARGE, least=100_000) as client:
        came, seconds, is_cut = await taking(client, step=PIECE, pause=0.004, least=LARGE)
    assert not is_cut
    assert came > LARGE
    assert seconds > 1.2 * PATIENCE


async def test_F10_the_rest_of_a_last_answer_is_not_waited_for_without_end(monkeypatch) -> None:
    async with asked(monkeypatch, size=3 * PIECE, least=100_000, head=b"Connection: close\r\n") as client:
        await asyncio.sleep(2 * PATIENCE)
        came, _, is_cut = await taking(client, step=PIECE, pause=0)
    assert is_cut
    assert came < 3 * PIECE


async def test_F10_where_nobody_counts_what_it_takes_it_has_its_time_for_each_wait(monkeypatch) -> None:
    async with asked(monkeypatch, size=LARGE, least=1, family=socket.AF_UNIX) as client:
        came, seconds, is_cut = await taking(client, step=PIECE, pause=0.004, least=LARGE)
    assert not is_cut
    assert came > LARGE
    assert seconds > 1.2 * PATIENCE


class Upgraded(asyncio.Protocol):
    """What takes a connection over for a WebSocket: it answers what comes with more than the buffers hold, and leaves."""

    def __init__(self, **_: object) -> None:
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"GET"):
            self.transport.write(b"a" * 2_000_000)
            self.transport.close()


@pytest.mark.parametrize("runs", [asyncio.run, uvloop.run])
def test_F10_a_websocket_has_no_head_to_end_and_is_judged_no_more_once_it_is_closed(monkeypatch, runs) -> None:
    monkeypatch.setattr(edge_protocol, "PATIENCE_SECONDS", PATIENCE / 3)
    faults: list[object] = []

    async def inside() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        head = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        async with asked(monkeypatch, size=1, least=100_000, head=head, ws=Upgraded) as client:
            await asyncio.sleep(PATIENCE / 2)
            client.send(b"more")
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b"a", "it is open still"
            client.close()
            await asyncio.sleep(1.3 * PATIENCE)

    runs(inside())
    assert not faults

"""The head of an answer goes over the wire as uvicorn writes it, and what it refuses is refused."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from freehold.web.edge_cycle import Cycle

pytestmark = pytest.mark.anyio


class Wire:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.written += b"<closed>"


async def sent(kind: type[RequestResponseCycle], headers: Any, *, status: int = 200, keeps: bool = True) -> bytes:
    wire: Any = Wire()
    cycle = kind(
        scope={"method": "GET"},  # type: ignore[typeddict-item]
        transport=wire,
        flow=FlowControl(wire),
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keeps,
        on_response=lambda: None,
    )
    await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
    await cycle.send({"type": "http.response.body", "body": b"" if status in (204, 304) else b"four"})
    found: bytes = wire.written
    return found


LENGTH = (b"content-length", b"4")


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ([LENGTH, (b"vary", b"Origin"), (b"etag", b'"1"')], {}),
        ([LENGTH, (b"vary", b"Origin"), (b"Vary", b"Origin")], {}),
        ([LENGTH], {"keeps": False}),
        ([LENGTH, (b"connection", b"close")], {}),
        ([(b"transfer-encoding", b"chunked")], {}),
        ([], {}),
        ([(b"etag", b'"1"')], {"status": 304}),
        ([], {"status": 204}),
        ([[b"content-length", b"4"], [b"vary", b"Origin"]], {}),
    ],
)
async def test_answers_are_those_of_uvicorn(headers, options):
    for _ in range(2):  # the second time from what is kept
        assert await sent(Cycle, headers, **options) == await sent(RequestResponseCycle, headers, **options)


@pytest.mark.parametrize(
    "field", [(b"vary", b"a\r\nset-cookie: b"), (b"etag", b"a\nb"), (b"a b", b"c"), (b"vary", b"\0")]
)
async def test_nothing_that_breaks_a_line_is_written(field):
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Invalid HTTP header"):
            await sent(Cycle, [LENGTH, field])

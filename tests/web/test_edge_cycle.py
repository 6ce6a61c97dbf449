"""The head of an answer goes over the wire as uvicorn writes it, and what it refuses is refused."""

from __future__ import annotations

from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from freehold.web.edge_cycle import Cycle
from tests.web.cycles import Wire, cycle_on

pytestmark = pytest.mark.anyio


async def sent(kind: type[RequestResponseCycle], headers: Any, *, status: int = 200, keeps: bool = True) -> bytes:
    wire = Wire()
    cycle = cycle_on(wire, kind=kind, keeps=keeps)
    await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
    await cycle.send({"type": "http.response.body", "body": b"" if status in (204, 304) else b"four"})
    return wire.written


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

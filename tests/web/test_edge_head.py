"""An answer that is sent in one piece is, byte for byte, the one that goes by messages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.observe.context import Trace
from freehold.web.answer import Ready
from freehold.web.edge_cycle import Cycle
from freehold.web.edge_exchange import Exchange
from freehold.web.edge_headers import RawHeaders
from tests.web.cycles import Wire, cycle_on

NAMES = st.sampled_from(
    [b"etag", b"ETag", b"vary", b"content-type", b"cache-control", b"set-cookie", b"server", b"x-request-id", b"link",
     b"connection", b"transfer-encoding", b"content-length", b"location", b"a b"]
)  # fmt: skip
VALUES = st.sampled_from(
    [b'"1-ab"', b"text/html", b"application/json", b"100%", b"%b", b"", b"no-store", b"4", b"close", b"chunked",
     b"a\r\nset-cookie: b", b"\0", b"\x001", b"Accept"]
)  # fmt: skip
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=4)
LENGTH = (b"content-length", b"4")


async def answered(
    answer: Ready,
    *,
    whole: bool,
    beside: RawHeaders,
    cors: RawHeaders,
    knows: bool,
    method: str,
    keeps: bool,
    root: str,
) -> tuple[Wire, str]:
    """What went over the wire, and what was raised."""
    wire = Wire()
    cycle = cycle_on(wire, kind=Cycle, method=method, keeps=keeps)
    scope = {"type": "http", "method": method, "scheme": "https", "root_path": root, "state": {"fh_headers": beside}}
    exchange = Exchange(scope, cycle.send, Trace("id", "trace"), has_credentials=knows, cors=cors)  # type: ignore[arg-type]
    try:
        if not (whole and exchange.send_whole(answer)):
            await answer(scope, cycle.receive, exchange.send)  # type: ignore[arg-type]
    except (RuntimeError, ValueError) as error:
        return wire, str(error)
    assert exchange.is_complete
    assert exchange.status == answer.status_code or exchange.problem is not None
    return wire, ""


EXCHANGES = st.fixed_dictionaries(
    {
        "beside": st.lists(st.tuples(st.sampled_from([b"ratelimit", b"ratelimit-policy"]), VALUES), max_size=2),
        "cors": st.sampled_from([[], [(b"access-control-allow-origin", b"https://a.example")]]),
        "knows": st.booleans(),
        "method": st.sampled_from(["GET", "GET", "HEAD"]),
        "keeps": st.booleans(),
        "root": st.sampled_from(["", "/below"]),
    }
)


@given(
    st.builds(lambda fields, lengths: fields + lengths, FIELDS, st.sampled_from([[LENGTH], [LENGTH], []])),
    st.sampled_from([200, 201, 204, 304, 404, 500]),
    st.sampled_from([b"four", b"", b"5 now"]),
    EXCHANGES,
)
def test_both_ways_write_the_same(fields: RawHeaders, status: int, body: bytes, options: dict[str, Any]) -> None:
    async def both() -> None:
        for _ in range(2):  # the second time from what is kept
            by_messages, told = await answered(Ready(status, fields, body), whole=False, **options)
            at_once, too = await answered(Ready(status, fields, body), whole=True, **options)
            assert (at_once.written, too) == (by_messages.written, told)

    asyncio.run(both())


async def plain(body: bytes, headers: RawHeaders) -> tuple[Wire, str]:
    answer = Ready(200, headers, body)
    beside = [(b"ratelimit", b'"read";r=1;t=1')]
    return await answered(answer, whole=True, beside=beside, cors=[], knows=False, method="GET", keeps=True, root="")


def test_a_plain_answer_is_one_write() -> None:
    fields = [(b"etag", b'"1"'), (b"content-length", b"4"), (b"content-type", b"application/json")]
    assert asyncio.run(plain(b"four", fields))[0].pieces == 1


@pytest.mark.parametrize("length", [b"3", b"5"])
def test_an_answer_of_another_length_than_it_says_is_refused_as_it_is_otherwise(length: bytes) -> None:
    _, told = asyncio.run(plain(b"four", [(b"content-length", length)]))
    assert "Content-Length" in told


async def below_another(answer: Ready) -> Wire:
    """What goes over the wire from an edge that stands directly in another one."""
    wire = Wire()
    scope: dict[str, Any] = {"type": "http", "method": "GET", "scheme": "https", "root_path": "", "state": {}}
    send: Any = cycle_on(wire, kind=Cycle).send
    above = Exchange(scope, send, Trace("id", "trace"), has_credentials=False, cors=[])
    exchange = Exchange(scope, above.send, Trace("id", "trace"), has_credentials=False, cors=[])
    assert not exchange.send_whole(answer), "the other one has something to say as well"
    await exchange.send({"type": "http.response.start", "status": 200, "headers": answer.raw_headers})
    await exchange.send({"type": "http.response.body", "body": answer.body})
    return wire


def test_an_edge_in_another_one_answers_by_messages() -> None:
    wire = asyncio.run(below_another(Ready(200, [LENGTH], b"four")))
    assert wire.written.startswith(b"HTTP/1.1 200")
    assert wire.written.endswith(b"\r\n\r\nfour")

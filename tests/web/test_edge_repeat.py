"""A request whose fields came before is not read again, and nothing about it is other than if it had been."""

from __future__ import annotations

import asyncio
import re
import string
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st

from freehold.traffic import Limits, per_minute
from freehold.web.compiled import heads
from freehold.web.edge_fields import Fields
from freehold.web.edge_load import Load
from freehold.web.edge_protocol import ServerState, StrictProtocol, protocol_options
from freehold.web.edge_repeat import plain_piece, whole_piece
from tests.waiting import until
from tests.web.signs import Sign, Site, Sites, kept_open, made, opened
from tests.web.test_direct import Held

ID = re.compile(rb"[0-9a-f]{32}")
HOST = b"Host: localhost"
LINE = st.sampled_from(
    [
        b"GET /v1/signs?a=b HTTP/1.1", b"GET /b_-9/A HTTP/1.1", b"GET /a?q=%ff&a=[b] HTTP/1.1", b"DELETE /a HTTP/1.1",
        b"POST /a HTTP/1.1", b"POST /a?b HTTP/1.1", b"PATCH /a/b HTTP/1.1",
    ]
)  # fmt: skip
ODD_LINE = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"HEAD /a HTTP/1.1",
        b"PUT /a HTTP/1.1",
        b"Post /a HTTP/1.1",
        b"GET /a HTTP/1.0",
        b"GET /a#b HTTP/1.1",
    ]
) | (
    st.tuples(st.binary(max_size=3), st.text("/?#%.a-_ \t", max_size=8)).map(
        lambda parts: b"GET /%b%b HTTP/1.1" % (parts[1].encode(), parts[0])
    )
)
FIELD = st.sampled_from(
    [
        HOST, b"host:a", b"Accept:\t*/* ", b"A:", b"Connection: close", b"Connection: Upgrade", b"Upgrade: h2c", b"Upgrade: websocket",
        b"Expect: 100-continue", b"Content-Length: 0", b"content-length: 3", b"Content-Length: 2", b"Content-length: 03", b"Content-Length:3", b"A: Content-Length: 3", b"Transfer-Encoding: chunked",
    ]
) | st.tuples(
    st.text("abcXYZ-09", min_size=1, max_size=6), st.text([chr(each) for each in range(32, 127)], max_size=6)
).map(lambda pair: ":".join(pair).encode())  # fmt: skip
ODD_FIELD = st.sampled_from(
    [b"Host : a", b" folded", b":", b"GET /b HTTP/1.1", b"X-Odd: \xe4", b"X-Nul: \0", b"X_Low: a", b""]
) | (st.tuples(st.text("abcXYZ-09_", max_size=6), st.text(max_size=6)).map(lambda pair: ":".join(pair).encode()))
BODY = st.sampled_from([b"", b"0", b"{}", b"GET", b"\r\n\r\n", b"1234567890"])
ODD_END = st.sampled_from([b"\n", b"\r", b"\r\r\n", b""])
BEHIND = st.sampled_from([b"\r\n", b"\n", b"a", b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"])


def piece_of(*lines: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in (*lines, b""))


@st.composite
def pieces(draw: st.DrawFn) -> bytes:
    """A request as it should be, or with one thing about it that is odd."""
    lines = [draw(LINE), *draw(st.lists(FIELD, min_size=1, max_size=4)), b""]
    ends, behind = [b"\r\n"] * len(lines), b""
    match draw(st.sampled_from(["nothing", "nothing", "body", "line", "field", "end", "behind"])):
        case "line":
            lines[0] = draw(ODD_LINE)
        case "field":
            lines[draw(st.integers(1, len(lines) - 2))] = draw(ODD_FIELD)
        case "end":
            ends[draw(st.integers(0, len(ends) - 1))] = draw(ODD_END)
        case "behind":
            behind = draw(BEHIND)
        case "body":
            lines[0], behind = draw(st.sampled_from([b"POST /a HTTP/1.1", b"PATCH /a?b HTTP/1.1"])), draw(BODY)
            name = draw(st.sampled_from([b"Content-Length", b"content-length", b"Content-length"]))
            lines[draw(st.integers(1, len(lines) - 2))] = b"%b: %d" % (name, len(behind))
    return b"".join(line + end for line, end in zip(lines, ends, strict=True)) + behind


class Wire:
    """A transport to nobody."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def get_extra_info(self, name: str) -> Any:
        return {"peername": ("192.0.2.7", 4711), "sockname": ("127.0.0.1", 80)}.get(name)

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def __getattr__(self, name: str) -> Any:
        return lambda *_: 0


class Taking:
    """An application that takes every request, and answers none. asked: what came, and in which piece."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, bytes | None]] = []
        self.edge = SimpleNamespace(direct=self, load=Load(100))

    def takes(self, server: StrictProtocol, cycle: Any, app: Any) -> bool:
        self.asked.append((cycle, server.piece))
        return True

    def repeats(self, server: StrictProtocol, piece: bytes) -> bool:
        return False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def connection(app: Any) -> tuple[StrictProtocol, Wire]:
    timer = SimpleNamespace(cancel=lambda: None)
    loop: Any = SimpleNamespace(time=lambda: 0.0, call_later=lambda *_: timer, call_soon=lambda *_: timer)
    config = uvicorn.Config(app, **protocol_options())
    server = StrictProtocol(config, ServerState(), {"app": "state"}, loop)
    wire = Wire()
    server.connection_made(wire)  # type: ignore[arg-type]
    return server, wire


def parts_of(cycle: Any) -> dict[str, Any]:
    """A cycle but for what is of each alone."""
    found = {**vars(cycle), "scope": list(cycle.scope.items())}
    return {**found, "message_event": cycle.message_event.is_set(), "on_response": cycle.on_response.__func__}


def read(whole: bytes) -> tuple[str, StrictProtocol, Any]:
    """What the parser makes of a piece that is one request: in what it is out of the ordinary, and its cycle, if any."""
    app = Taking()
    server, wire = connection(app)
    server.data_received(whole)
    if wire.written or wire.is_closed:
        return "refused", server, None
    if server.parser.should_upgrade():
        return "upgrades", server, None
    ((cycle, kept),) = app.asked
    assert kept == whole
    if cycle.more_body:
        return "has a body", server, cycle
    if not cycle.keep_alive:
        return "closes", server, cycle
    return "expects" if cycle.waiting_for_100_continue else "", server, cycle


def test_what_is_made_of_bytes_is_what_the_parser_makes_of_them() -> None:
    seen: Counter[str | None] = Counter()

    @given(pieces(), LINE, BODY)
    @example(piece_of(b"GET /a HTTP/1.1", HOST), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST), b"POST /b?c HTTP/1.1", b"")
    @example(piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 3") + b"abc", b"PATCH /b?c HTTP/1.1", b"{}")
    @example(piece_of(b"POST /a HTTP/1.1", b"content-length: 2", HOST) + b"{}", b"POST /b?c HTTP/1.1", b"GET")
    @example(piece_of(b"POST /a HTTP/1.1", b"content-length: 2", HOST) + b"{}", b"GET /b?c HTTP/1.1", b"GET")
    @example(piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 0"), b"POST /b?c HTTP/1.1", b"0")
    @example(
        piece_of(b"POST /a HTTP/1.1", HOST, b"A: Content-Length: 2", b"Content-Length: 2") + b"{}",
        b"POST /b HTTP/1.1",
        b"",
    )
    @example(
        piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 2", b"Content-Length: 2") + b"{}",
        b"POST /b HTTP/1.1",
        b"",
    )
    @example(
        piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"{}",
        b"POST /b HTTP/1.1",
        b"0",
    )
    @example(
        piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 2", b"Expect: 100-continue") + b"{}",
        b"POST /b HTTP/1.1",
        b"{}",
    )
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Connection: keep-alive"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Connection: close"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Expect: 100-continue"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Connection: Upgrade", b"Upgrade: h2c"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Content-Length: 3"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Transfer-Encoding: chunked"), b"GET /b?c HTTP/1.1", b"")
    @example(piece_of(b"GET /a HTTP/1.1", HOST, b"Content-Length: 0", b"Content-Length: 0"), b"GET /b?c HTTP/1.1", b"")
    def compare(piece: bytes, line: bytes, body: bytes) -> None:
        kept = whole_piece(piece)
        if kept is None:
            seen[None] += 1
            return
        oddity, _, first = read(piece)
        body = body if b"\0" in kept.block else b""
        whole = line + b"\r\n" + re.sub(b"\0+", b"%d" % len(body), kept.block) + body
        asked = plain_piece(whole)
        if asked is None or asked.block != kept.block:
            seen["another block"] += 1
            return  # nobody takes it for the same
        other_oddity, server, second = read(whole)
        assert oddity == other_oddity, "it is the block's alone"
        seen[oddity] += 1
        if oddity:
            return  # and nobody keeps it
        seen["with a body"] += bool(asked.body)
        known = heads.Head(first.scope, {**first.scope, "state": {"client": "a"}}, Fields(first.scope["headers"]), [])
        assert parts_of(server.cycle_of(asked, known.headers_with(asked.body))) == parts_of(second)

    compare()
    oddities = {"refused", "upgrades", "has a body", "closes", "expects"}
    assert seen.keys() == {None, "", "another block", "with a body", *oddities}
    assert seen[""] >= 20
    assert seen["with a body"] >= 5


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_sends_the_blank_that_stands_for_a_length(method: str) -> None:
    kept = whole_piece(piece_of(b"POST /a HTTP/1.1", HOST, b"Content-Length: 2") + b"{}")
    asked = plain_piece(piece_of(f"{method} /a HTTP/1.1".encode(), HOST, b"Content-Length: \0"))
    assert kept is not None
    assert asked is None or asked.block != kept.block


LETTERS = set(string.ascii_letters + string.digits + "_-")


@pytest.mark.parametrize(
    ("before", "behind", "taken"),
    [
        ("/a", "b", LETTERS | {"/", "?"}),
        ("/a?", "b", {chr(each) for each in range(0x21, 0x7F)} - {"#"}),
        ("", "/a", set()),
        ("/", "", LETTERS),
    ],
)
def test_a_request_line_is_plain_where_the_parser_takes_it_as_it_is(before: str, behind: str, taken: set[str]) -> None:
    found = set()
    for character in map(chr, range(256)):
        whole = piece_of(f"GET {before}{character}{behind} HTTP/1.1".encode("latin-1"), HOST)
        asked = plain_piece(whole)
        if asked is None:
            continue
        found.add(character)
        scope = read(whole)[2].scope
        assert (scope["raw_path"], scope["query_string"]) == (asked.path, asked.query)
        assert scope["path"].encode() == asked.path
    assert found == taken


@dataclass
class Line:
    """A connection of a client that writes bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def tell(self, *pieces: bytes) -> None:
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.02)
            self.writer.write(piece)

    async def hear(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return int(head[9:12]), head, await self.reader.readexactly(size)

    async def ask(self, *pieces: bytes) -> tuple[int, bytes, bytes]:
        await self.tell(*pieces)
        return await self.hear()


@dataclass
class Told:
    """A service, and how many of its requests were told from their bytes."""

    site: Site
    count: int = 0
    lines: list[Line] = field(default_factory=list)

    async def line(self, **how: Any) -> Line:
        self.lines.append(Line(*await asyncio.open_connection("127.0.0.1", self.site.direct.base_url.port, **how)))
        return self.lines[-1]


@asynccontextmanager
async def counted(site: Site) -> AsyncIterator[Told]:
    told, taker = Told(site), site.app.edge.direct
    repeats = taker.repeats

    def counting(*given: Any) -> bool:
        is_told: bool = repeats(*given)
        told.count += is_told
        return is_told

    taker.repeats = counting
    try:
        yield told
    finally:
        for each in told.lines:
            each.writer.close()
            with suppress(OSError):
                await each.writer.wait_closed()


@pytest.fixture(scope="module")
async def sites(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    async with kept_open(made(module_database, tmp_path_factory.mktemp("signs"))) as found:
        yield found


@pytest.fixture
async def told(sites: Sites) -> AsyncIterator[Told]:
    async with sites() as site, counted(site) as found:
        yield found


@pytest.fixture
async def slowly(postgres_url: str, tmp_path: Path) -> AsyncIterator[Told]:
    async with opened(made(postgres_url, tmp_path)) as site, counted(site) as found:
        yield found


def asking(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def lasting(answer: tuple[int, bytes, bytes]) -> tuple[int, bytes, bytes]:
    """An answer but for what no two have in common."""
    status, head, body = answer
    head = re.sub(rb"(date|ratelimit): [^\r]+", b"", head)
    return status, re.sub(ID, b"", head), re.sub(ID, b"", body)


@pytest.mark.anyio
async def test_the_second_answer_is_the_first_one(told: Told) -> None:
    paths = [await told.site.add(Sign(text=str(number))) for number in range(3)]
    paths += ["/v1/signs", "/v1/signs?limit=2", "/v1/signs?limit=none", f"/v1/signs/{uuid4()}"]
    lines = [await told.line() for _ in range(2)]
    for fields in (
        [],
        ["Accept: a"],
        ["Origin: https://elsewhere.example"],
        ["If-None-Match: *"],
        ["If-None-Match: x"],
    ):
        found = [[lasting(await line.ask(asking(path, *fields))) for path in paths] for line in lines]
        assert found[0] == found[1]
        assert {status for status, _, _ in found[1]} <= {200, 304, 400, 404, 422}
        ids = [re.search(rb"x-request-id: ([^\r]+)", (await lines[0].ask(asking(path, *fields)))[1]) for path in paths]
        assert len({each[1] for each in ids if each}) == len(paths)
    assert told.count == 5 * (3 * len(paths) - 1), "all but the first of each block"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [
        ["X-Request-ID: same"], ["Content-Length: 0"], ["Expect: 100-continue"], ["Connection: Upgrade", "Upgrade: h2c"],
        ["Host: localhost"], ["Cookie: a=b"], ["Authorization: Basic x"], ["X-Long: " + "x" * 4_096], ["X-Odd:\xe4"], ["X_Low: a"],
    ],
)  # fmt: skip
async def test_what_is_more_than_plain_is_read_each_time(told: Told, fields: list[str]) -> None:
    path, line = await told.site.add(Sign(text="Again")), await told.line()
    found = [lasting(await line.ask(asking(path, *fields))) for _ in range(3)]
    assert found == [found[0]] * 3
    assert told.count == 0
    assert found[0][0] == {"Host: localhost": 400, "Authorization: Basic x": 401}.get(fields[0], 200)


@pytest.mark.anyio
@pytest.mark.parametrize("fields", [["Connection: close"], ["Connection: Keep-Alive, close"]])
async def test_a_connection_is_closed_each_time_that_its_client_wants_it(told: Told, fields: list[str]) -> None:
    path = await told.site.add(Sign(text="Last"))
    for _ in range(2):
        line = await told.line()
        await line.tell(asking(path, *fields))
        assert b'"text":"Last"' in await asyncio.wait_for(line.reader.read(), 10)
    assert told.count == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    "target",
    ["/v1/signs/", "//v1/signs", "/v1/./signs", "/v1/%73igns", "/v1/signs#a", "http://localhost/v1/signs", "*"],
)
async def test_another_spelling_is_read(told: Told, target: str) -> None:
    line = await told.line()
    await line.ask(asking("/v1/signs"))
    odd = lasting(await line.ask(asking(target)))
    assert told.count == 0
    assert odd == lasting(await (await told.line()).ask(asking(target)))
    assert (await line.ask(asking("/v1/signs")))[0] == 200 if odd[0] != 400 else True


@pytest.mark.anyio
@pytest.mark.parametrize("question", ["access_token=none", "a=%ff", "limit=" + "1" * 5_000, "sort=none"])
async def test_a_question_is_judged_each_time(told: Told, question: str) -> None:
    one, other = await told.line(), await told.line()
    expected = lasting(await one.ask(asking(f"/v1/signs?{question}")))
    assert expected[0] in (400, 422)
    await other.ask(asking("/v1/signs"))
    assert lasting(await other.ask(asking(f"/v1/signs?{question}"))) == expected


@pytest.mark.anyio
async def test_pieces_are_put_together_and_taken_apart(told: Told) -> None:
    paths = [await told.site.add(Sign(text=str(number))) for number in range(3)]
    zero, one, two = map(asking, paths)
    line = await told.line()
    assert (await line.ask(zero))[0] == 200

    async def heard(number: int) -> list[bytes]:
        return [(await line.hear())[2][:200] for _ in range(number)]

    for pieces, number in (
        ([zero + one + two], 3),
        ([zero[:9], zero[9:]], 1),
        ([zero, one[:30], one[30:] + two], 3),
        ([zero + one[:30], one[30:]], 2),
        ([b"\r\n", zero], 1),
        ([b"\r", b"\n" + one], 1),
        ([zero + b"\r\n", one], 2),
        ([zero + b"\r", one], 2),
    ):
        await line.tell(*pieces)
        bodies = await heard(number)
        sent = b"".join(pieces)
        assert [b'"text":"%d"' % paths.index(each.decode()) in body for each, body in zip(re.findall(rb"GET (\S+)", sent), bodies, strict=True)] == [True] * number  # fmt: skip
    assert told.count > 0


@pytest.mark.anyio
async def test_what_comes_before_an_answer_waits_for_it(slowly: Told) -> None:
    paths = [await slowly.site.add(Sign(text=str(number))) for number in range(3)]
    line = await slowly.line()
    await line.ask(asking(paths[0]))
    held = Held(slowly.site.app)
    await line.tell(asking(paths[0]))
    await until(lambda: held.asked == 1)
    await line.tell(asking(paths[1]), asking(paths[2]))
    held.go.set()
    bodies = [(await line.hear())[2] for _ in paths]
    assert [b'"text":"%d"' % number in body for number, body in enumerate(bodies)] == [True] * 3
    assert slowly.count == 1


@pytest.mark.anyio
async def test_a_client_that_leaves_leaves_nothing(slowly: Told) -> None:
    path, line = await slowly.site.add(Sign(text="Gone")), await slowly.line()
    await line.ask(asking(path))
    held = Held(slowly.site.app)
    await line.tell(asking(path))
    await until(lambda: held.asked == 1)
    line.writer.transport.abort()
    await asyncio.sleep(0.05)
    held.go.set()
    await until(lambda: slowly.site.app.edge.in_flight == 0)
    assert slowly.count == 1


@pytest.mark.anyio
async def test_every_request_is_counted(database_url: str, tmp_path: Path) -> None:
    async with opened(made(database_url, tmp_path, limits=Limits(read=per_minute(3)))) as site, counted(site) as told:
        line = await told.line()
        assert [(await line.ask(asking("/v1/signs")))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
        assert told.count == 4
        assert site.app.edge.in_flight == 0


@pytest.mark.anyio
async def test_who_was_known_and_is_no_more_is_refused(told: Told) -> None:
    _, headers = await told.site.person("ada")
    line, asked = await told.line(), asking("/v1/users/me", f"Authorization: {headers['Authorization']}")
    assert [(await line.ask(asked))[0] for _ in range(3)] == [200] * 3
    assert told.count
    assert (await told.site.direct.delete("/v1/auth/sessions", headers=headers)).status_code == 204
    count = told.count
    assert (await line.ask(asked))[0] == 401
    assert told.count == count


@pytest.mark.anyio
async def test_nobody_is_taken_for_a_client_of_a_proxy_that_is_not_theirs(database_url: str, tmp_path: Path) -> None:
    limits = Limits(read=per_minute(2))
    async with (
        opened(made(database_url, tmp_path, trusted_proxies="127.0.0.1", limits=limits)) as site,
        counted(site) as told,
    ):
        asked = asking("/v1/signs", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https")
        proxy, stranger = await told.line(), await told.line(local_addr=("127.0.0.2", 0))
        found = [await proxy.ask(asked) for _ in range(3)]
        assert [status for status, _, _ in found] == [200, 200, 429]
        assert b"strict-transport-security" in found[1][1]
        assert told.count == 2
        found = [await stranger.ask(asked) for _ in range(3)]
        assert [status for status, _, _ in found] == [200, 200, 429]
        assert b"strict-transport-security" not in found[1][1]


@pytest.mark.anyio
async def test_where_there_is_no_room_nobody_is_let_in_by_a_head_that_is_known(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, load = await told.line(), told.site.app.edge.load
    await line.ask(asking("/v1/signs"))
    with monkeypatch.context() as patch:
        patch.setattr(load, "limit", 0)
        assert (await line.ask(asking("/v1/signs")))[0] == 503
    assert (await line.ask(asking("/v1/signs")))[0] == 200
    assert (told.count, load.in_flight, load.working) == (1, 0, 0)


@pytest.mark.anyio
async def test_a_server_that_leaves_says_so(told: Told) -> None:
    line = await told.line()
    await line.ask(asking("/v1/signs"))
    await line.ask(asking("/v1/signs"))
    connections: list[StrictProtocol] = []
    repeats = told.site.app.edge.direct.repeats
    told.site.app.edge.direct.repeats = lambda server, piece: connections.append(server) or repeats(server, piece)
    await line.ask(asking("/v1/signs"))
    state: Any = connections[0].server_state
    state.take_leave()
    count = told.count
    assert b"connection: close" in (await line.ask(asking("/v1/signs")))[1].lower()
    assert told.count == count


@pytest.mark.anyio
async def test_what_is_kept_of_heads_is_bounded(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_MOST_HEADS", 10)
    line, known = await told.line(), told.site.app.edge.direct._heads._known
    for number in range(25):
        for _ in range(2):
            assert (await line.ask(asking("/v1/signs", f"X-Number: {number}")))[0] == 200
        assert 0 < len(known) <= 10
    assert told.count == 25
    assert all(len(block) <= 4_096 for _, _, block in known)


@pytest.mark.anyio
async def test_a_connection_that_repeats_is_not_cut_off_for_its_patience(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await told.line()
    await first.ask(asking("/v1/signs"))
    monkeypatch.setattr("freehold.web.edge_protocol.PATIENCE_SECONDS", 0.2)
    line = await told.line()
    for _ in range(4):  # the first request of a connection is known as well, and the timer of its beginning ends
        assert (await line.ask(asking("/v1/signs")))[0] == 200
        await asyncio.sleep(0.1)
    assert told.count == 4


@pytest.mark.anyio
async def test_who_ends_their_side_of_a_connection_has_left_whether_their_request_was_read_or_not(slowly: Told) -> None:
    path, first = await slowly.site.add(Sign(text="Gone")), await slowly.line()
    await first.ask(asking(path))
    held = Held(slowly.site.app)
    for number, fields in enumerate((["X-New: 1"], []), 1):
        line = await slowly.line()
        await line.tell(asking(path, *fields))
        await until(lambda: held.asked == number)  # noqa: B023
        line.writer.write_eof()
        assert await asyncio.wait_for(line.reader.read(), 10) == b"", "uvicorn closes what is half closed"
    held.go.set()
    await until(lambda: slowly.site.app.edge.in_flight == 0)
    assert slowly.count == 1
    assert (await first.ask(asking(path)))[0] == 200

"""The edge on raw ASGI requests: hosts, proxies, sizes, framing, spellings of a path, WebSockets."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import Message, Receive, Scope, Send

from freehold.errors import ConfigurationError
from freehold.traffic.limits import address_key
from freehold.web.edge import Edge, EdgeOptions

pytestmark = pytest.mark.anyio
HOST = (b"host", b"testserver")


class Echo:
    """An application that answers with what it was given, and remembers whether it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.body = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        more = True
        while more:
            message = await receive()
            self.body += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"{}"})


async def ask(
    edge: Edge,
    target: str = "/v1/books",
    *,
    method: str = "GET",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: list[bytes] | Callable[[], bytes | None] = (),  # type: ignore[assignment]
    peer: tuple[str, int] | None = ("192.0.2.9", 4711),
    **more: Any,
) -> tuple[int, dict[str, str], dict[str, Any]]:
    path, _, query = target.partition("?")
    parts = iter(body() if callable(body) else body)  # type: ignore[arg-type]
    sent: list[Message] = []

    async def receive() -> Message:
        part = next(parts, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode(),
        "headers": [HOST] if headers is None else headers,
        "client": peer,
        **more,
    }
    await edge(scope, receive, send)
    text = b"".join(message.get("body", b"") for message in sent)
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, json.loads(text) if text else {}


@pytest.fixture
def app() -> Echo:
    return Echo()


@pytest.fixture
def edge(app: Echo) -> Edge:
    return Edge(app)


# N06: the Host header


@pytest.mark.parametrize(
    "headers",
    [
        [], [HOST, HOST], [HOST, (b"host", b"evil.example")], [(b"host", b"")], [(b"host", b"a b")], [(b"host", b"a/b")],
        [(b"host", b"user@testserver")], [(b"host", b"testserver:port")], [(b"host", b"testserver:123456")],
        [(b"host", b"[::1")], [(b"host", "tëst".encode())], [(b"host", b"testserver, evil.example")],
    ],
)  # fmt: skip
async def test_N06_no_host_two_or_a_malformed_one_is_400(edge: Edge, app: Echo, headers: list[Any]) -> None:
    status, _, document = await ask(edge, headers=headers)
    assert (status, document["code"]) == (400, "request.malformed")
    assert app.scopes == []


@pytest.mark.parametrize("host", [b"evil.example", b"testserver.evil.example", b"xtestserver", b"10.0.0.1", b"[::2]"])
async def test_N06_an_unlisted_host_is_421(edge: Edge, app: Echo, host: bytes) -> None:
    status, _, document = await ask(edge, headers=[(b"host", host)])
    assert (status, document["code"]) == (421, "request.misdirected")
    assert app.scopes == []


@pytest.mark.parametrize(
    "host", [b"testserver", b"TestServer", b"localhost:8000", b"127.0.0.1:1", b"[::1]:8000", b"localhost."]
)
async def test_N06_a_listed_host_passes_in_any_case_and_on_any_port(edge: Edge, host: bytes) -> None:
    assert (await ask(edge, headers=[(b"host", host)]))[0] == 200


async def test_N06_subdomains_and_any() -> None:
    some, anything = Edge(Echo(), EdgeOptions(hosts=("*.example.org",))), Edge(Echo(), EdgeOptions(hosts=("*",)))
    assert (await ask(some, headers=[(b"host", b"a.example.org")]))[0] == 200
    for host in (b"example.org", b"evilexample.org", b"testserver"):
        assert (await ask(some, headers=[(b"host", host)]))[0] == 421
    assert (await ask(anything, headers=[(b"host", b"whatever.example")]))[0] == 200


# The client behind proxies (R04)


async def _client(entries: tuple[str, ...], headers: list[tuple[bytes, bytes]], peer: Any = ("10.0.0.1", 1)) -> str:
    app = Echo()
    status, _, _ = await ask(Edge(app, EdgeOptions(trusted_proxies=entries)), headers=[HOST, *headers], peer=peer)
    assert status == 200
    return str(app.scopes[0]["state"]["client"])


@pytest.mark.parametrize(
    "name", [b"x-forwarded-for", b"forwarded", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip"]
)
async def test_R04_from_a_peer_that_is_not_listed_nothing_counts(name: bytes) -> None:
    value = b"for=198.51.100.7" if name == b"forwarded" else b"198.51.100.7"
    assert await _client((), [(name, value)]) == "10.0.0.1"
    assert await _client(("10.9.9.9",), [(name, value)]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"198.51.100.7", "198.51.100.7"),
        (b"6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (b"6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (b"198.51.100.7:4711", "198.51.100.7"),
        (b"[2001:db8::7]:4711", "2001:db8::7"),
        (b"2001:DB8::7", "2001:db8::7"),
        (b"::ffff:198.51.100.7", "198.51.100.7"),
        (b"198.51.100.7, garbage, 10.0.0.2", "10.0.0.2"),
        (b"garbage", "10.0.0.1"),
        (b"", "10.0.0.1"),
        (b",,,", "10.0.0.1"),
        (b"198.51.100.7, " + b"10.0.0.2, " * 500 + b"10.0.0.2", "10.0.0.2"),
    ],
)
async def test_R04_from_a_listed_proxy_the_first_unlisted_address_from_the_right_counts(
    value: bytes, expected: str
) -> None:
    assert await _client(("10.0.0.0/8",), [(b"x-forwarded-for", value)]) == expected


async def test_R04_repeated_headers_are_one_list_in_order() -> None:
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.7")]
    assert await _client(("10.0.0.1",), lines) == "198.51.100.7"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
        (b'for=6.6.6.6, for="[2001:db8::7]:4711"', "2001:db8::7"),
        (b"For=198.51.100.7, for=10.0.0.2", "198.51.100.7"),
        (b"for=_hidden", "10.0.0.1"),
        (b"for=unknown", "10.0.0.1"),
        (b"for=6.6.6.6;for=198.51.100.7", "10.0.0.1"),
        (b"nonsense", "10.0.0.1"),
    ],
)
async def test_R04_forwarded_as_rfc_7239_writes_it(value: bytes, expected: str) -> None:
    assert await _client(("10.0.0.0/8",), [(b"forwarded", value)]) == expected


async def test_R04_two_headers_that_disagree_are_refused() -> None:
    headers = [HOST, (b"x-forwarded-for", b"198.51.100.7"), (b"forwarded", b"for=6.6.6.6")]
    edge = Edge(Echo(), EdgeOptions(trusted_proxies=("10.0.0.1",)))
    assert (await ask(edge, headers=headers, peer=("10.0.0.1", 1)))[0] == 400
    assert (await ask(edge, headers=headers, peer=("192.0.2.1", 1)))[0] == 200
    same = [(b"x-forwarded-for", b"198.51.100.7"), (b"forwarded", b"for=198.51.100.7")]
    assert await _client(("10.0.0.1",), same) == "198.51.100.7"


async def test_R04_the_scheme_comes_from_a_listed_proxy_alone() -> None:
    for trusted, header, expected in [
        (("10.0.0.1",), (b"x-forwarded-proto", b"https"), "https"),
        (("10.0.0.1",), (b"x-forwarded-proto", b"https, http"), "http"),
        (("10.0.0.1",), (b"x-forwarded-proto", b"gopher"), "http"),
        (("10.0.0.1",), (b"forwarded", b"for=1.2.3.4;proto=https"), "https"),
        ((), (b"x-forwarded-proto", b"https"), "http"),
    ]:
        app = Echo()
        edge = Edge(app, EdgeOptions(trusted_proxies=trusted))
        _, head, _ = await ask(edge, headers=[HOST, header], peer=("10.0.0.1", 1))
        assert app.scopes[0]["scheme"] == expected
        assert ("strict-transport-security" in head) == (expected == "https")


async def test_R04_a_proxy_on_a_unix_socket() -> None:
    forwarded = [(b"x-forwarded-for", b"198.51.100.7")]
    assert await _client(("unix",), forwarded, peer=None) == "198.51.100.7"
    assert await _client((), forwarded, peer=None) == "local"


def test_R04_ipv6_is_counted_by_its_64() -> None:
    assert address_key("2001:db8:1:2:aaaa::1") == address_key("2001:db8:1:2::ffff") == "2001:db8:1:2::/64"
    assert address_key("2001:db8:1:3::1") != address_key("2001:db8:1:2::1")
    assert address_key("::ffff:198.51.100.7") == address_key("198.51.100.7") == "198.51.100.7"
    assert address_key("local") == "unknown"


def test_a_proxy_that_is_no_network_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="FREEHOLD_TRUSTED_PROXIES"):
        Edge(Echo(), EdgeOptions(trusted_proxies=("proxy.internal",)))


# N07, V01: sizes


async def test_N07_the_request_line(edge: Edge, app: Echo) -> None:
    assert (await ask(edge, "/" + "a" * 8_000))[0] == 200
    for target in ("/" + "a" * 8_192, "/a?" + "q" * 8_192):
        status, head, document = await ask(edge, target)
        assert (status, document["code"], head["connection"]) == (414, "request.uri_too_long", "close")
    assert len(app.scopes) == 1


async def test_N07_the_header_block(edge: Edge, app: Echo) -> None:
    fields = [(b"x-%d" % number, b"v") for number in range(99)]
    assert (await ask(edge, headers=[HOST, *fields]))[0] == 200
    for headers in ([HOST, *fields, (b"x-y", b"")], [HOST, (b"x", b"v" * 32_768)]):
        status, head, document = await ask(edge, headers=headers)
        assert (status, document["code"], head["connection"]) == (431, "request.headers_too_large", "close")
    assert len(app.scopes) == 1


async def test_V01_a_declared_body_over_the_limit_is_413_at_once(edge: Edge, app: Echo) -> None:
    def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = [HOST, (b"content-length", b"1048577")]
    status, head, document = await ask(edge, method="POST", headers=headers, body=never)
    assert (status, document["code"], head["connection"]) == (413, "request.too_large", "close")
    assert app.scopes == []
    exact = [HOST, (b"content-length", b"1048576")]
    assert (await ask(edge, method="POST", headers=exact, body=[b"x" * 1_048_576]))[0] == 200


async def test_V01_a_streamed_body_is_413_as_soon_as_it_passes_and_memory_stays_flat(edge: Edge, app: Echo) -> None:
    taken = [0]

    def endless() -> Any:
        while True:
            taken[0] += 1
            yield b"x" * 65_536

    tracemalloc.start()
    chunked = [HOST, (b"transfer-encoding", b"chunked")]
    status, head, document = await ask(edge, method="POST", headers=chunked, body=endless)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (status, document["code"], head["connection"]) == (413, "request.too_large", "close")
    assert taken[0] == 17
    assert peak < 10 * 1024 * 1024


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"3"), (b"content-length", b"3")],
        [(b"content-length", b"3"), (b"content-length", b"4")],
        [(b"content-length", b"+3")],
        [(b"content-length", b"-3")],
        [(b"content-length", b"3,3")],
        [(b"content-length", b"0x3")],
        [(b"content-length", "\uff13".encode())],
        [(b"content-length", b"")],
        [(b"content-length", b"9" * 30)],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"identity")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
    ],
)
async def test_N06_odd_framing_is_400_and_closes(edge: Edge, app: Echo, headers: list[Any]) -> None:
    status, head, _ = await ask(edge, method="POST", headers=[HOST, *headers], body=[b"abc"])
    assert (status, head["connection"]) == (400, "close")
    assert app.scopes == []


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"zstd", b"deflate", b"GZIP", b"identity, gzip", b"x"])
async def test_V03_a_content_encoding_is_415(edge: Edge, app: Echo, coding: bytes) -> None:
    headers = [HOST, (b"content-encoding", coding), (b"content-length", b"3")]
    status, head, document = await ask(edge, method="POST", headers=headers, body=[b"abc"])
    assert (status, document["code"]) == (415, "request.unsupported_media_type")
    assert head["accept-encoding"] == "identity"
    assert app.scopes == []
    assert (await ask(edge, headers=[HOST, (b"content-encoding", b"identity")]))[0] == 200


# Spellings of a path (Z08)


@pytest.mark.parametrize(
    "target",
    [
        "//v1/books", "/v1//books", "/v1/books//", "/./v1/books", "/v1/./books", "/v1/../v1/books", "/v1/books/.",
        "/v1/books/..", "/v1/%2e/books", "/v1/%2E%2e/books", "/v1%2fbooks", "/v1%2Fbooks", "/v1/books;x", "/v1;a=b/books",
        "/v1/books%3bx", "/v1\\books", "/v1%5cbooks", "/v1/books%00", "/v1/bo%00oks", "/v1/books%0a", "/v1/books%0d%0aX:y",
        "/v1/books%7f", "/v1/books%1b[2J", "/v1/books%zz", "/v1/books%", "/v1/books%4", "/v1/b\xefoks",
        "/v1/books%c2%85", "/v1/books%e2%80%a8", "/v1/books%ef%bf%bd", "/v1/books ", "/v1/\x01books",
        "v1/books", "http://testserver/v1/books", "*",
    ],
)  # fmt: skip
async def test_Z08_another_spelling_is_404(edge: Edge, app: Echo, target: str) -> None:
    status, _, document = await ask(edge, target)
    assert (status, document["code"]) == (404, "request.not_found")
    assert app.scopes == []


@pytest.mark.parametrize("octets", ["%ff", "%c0%ae", "%C0%AF", "%e0%80%ae", "%ed%a0%80", "%f4%90%80%80", "a%C3", "%80"])
async def test_V02_bytes_that_are_not_utf8_are_400_with_their_place(edge: Edge, app: Echo, octets: str) -> None:
    status, _, document = await ask(edge, f"/v1/books{octets}")
    assert (status, [fault["parameter"] for fault in document["errors"]]) == (400, ["path"])
    status, _, document = await ask(edge, f"/v1/books?year=1&q={octets}&z=%C3%A4")
    assert (status, [fault["parameter"] for fault in document["errors"]]) == (400, ["q"])
    status, _, document = await ask(edge, f"/v1/books?a+{octets}=1")
    assert (status, document["errors"][0]["parameter"][:2]) == (400, "a ")
    assert app.scopes == []


async def test_V02_a_query_of_raw_bytes_is_400_and_a_percent_sign_alone_is_text(edge: Edge, app: Echo) -> None:
    assert (await ask(edge, "/v1/books?q=caf\xe9"))[0] == 400
    assert app.scopes == []
    for query in ("q=100%", "q=%E6%9D%B1", "q=%ef%bf%bd", "q=%zz"):
        assert (await ask(edge, f"/v1/books?{query}"))[0] == 200


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"), ("/v1/books", "/v1/books"), ("/v1/books/", "/v1/books"), ("/v1/b%6Fks/", "/v1/boks"),
        ("/v1/a%20b", "/v1/a b"), ("/v1/%E6%9D%B1%E4%BA%AC", "/v1/東京"), ("/v1/100%25", "/v1/100%"),
        ("/v1/a:b@c~d!$&'()*+,=", "/v1/a:b@c~d!$&'()*+,="), ("/v1/%252e", "/v1/%2e"), ("/v1/.well", "/v1/.well"),
    ],
)  # fmt: skip
async def test_Z08_one_trailing_slash_is_the_same_resource(edge: Edge, app: Echo, target: str, path: str) -> None:
    assert (await ask(edge, target))[0] == 200
    assert app.scopes[0]["path"] == path
    assert not app.scopes[0]["raw_path"].endswith(b"/") or path == "/"


async def test_Z08_a_server_that_gives_no_raw_path(app: Echo, edge: Edge) -> None:
    assert (await ask(edge, "/v1/a%20b"))[0] == 200
    for path, expected in (("/v1/a b", 404), ("/v1//a", 404), ("/v1/a%b/", 200)):
        assert (await ask(edge, path=path, raw_path=None))[0] == expected


async def test_N04_options_star_is_about_the_server(edge: Edge) -> None:
    status, head, _ = await ask(edge, "*", method="OPTIONS")
    assert (status, head["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")


# What goes wrong inside


async def test_E01_an_exception_that_escapes_is_a_fixed_500() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret")

    edge = Edge(broken)
    status, head, document = await ask(edge)
    assert (status, document["code"], document["request_id"]) == (500, "internal", head["x-request-id"])
    assert "secret" not in json.dumps(document)
    assert edge.in_flight == 0


async def test_E01_an_application_that_sends_nothing_is_a_500() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        return

    assert (await ask(Edge(silent)))[0] == 500


async def test_E01_half_an_answer_is_cut_and_never_looks_whole() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        await ask(Edge(half))


# WebSockets and lifespan


async def _handshake(
    edge: Edge, headers: list[Any], *, path: str = "/ws", query: bytes = b"", **more: Any
) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "scheme": "ws", "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": headers, "client": ("10.0.0.1", 1), **more,
    }  # fmt: skip
    await edge(scope, receive, send)
    return sent


async def test_S01_a_handshake_passes_with_a_listed_host(app: Echo) -> None:
    edge = Edge(app, EdgeOptions(trusted_proxies=("10.0.0.1",)))
    forwarded = [(b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-proto", b"https")]
    assert (await _handshake(edge, [HOST, *forwarded]))[0]["type"] == "websocket.accept"
    assert app.scopes[0]["scheme"] == "wss"
    assert app.scopes[0]["state"]["client"] == "198.51.100.7"
    assert len(app.scopes[0]["state"]["request_id"]) == 32


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [([(b"host", b"evil.example")], b"", 421), ([], b"", 400), ([HOST], b"access_token=x", 400)],
)
async def test_S01_a_refused_handshake_never_reaches_the_application(
    edge: Edge, app: Echo, headers: list[Any], query: bytes, status: int
) -> None:
    assert await _handshake(edge, headers, query=query) == [{"type": "websocket.close", "code": 1008}]
    sent = await _handshake(edge, headers, query=query, extensions={"websocket.http.response": {}})
    assert sent[0]["status"] == status
    assert json.loads(sent[1]["body"])["status"] == status
    assert app.scopes == []


async def test_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {}

    await Edge(app)({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]

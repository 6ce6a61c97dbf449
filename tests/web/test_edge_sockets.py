"""The edge behind a real server, spoken to by raw bytes: what the server or the edge stops, case by case (N06, N07)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI, Request

from freehold.web import edge_protocol
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.edge_server import Server, server
from freehold.web.problems import install_handlers
from tests.ports import free_port

H = b"Host: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_PATIENCE_SECONDS = 20.0
_MOMENT_SECONDS = 0.4


@dataclass
class Running:
    port: int
    edge: Edge
    seen: list[str]

    def send(self, *parts: bytes, pause: float = 0.0, left_open: int | None = None) -> tuple[list[int], bytes, bool]:
        """The statuses that came back, the raw bytes, and whether the server closed the connection, which is waited for.

        left_open: after so many answers it is to stay open, and a moment shows it.
        """
        got, closed = b"", True
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.settimeout(_PATIENCE_SECONDS)
            with suppress(OSError):  # closed in the middle of it, or reset at its end
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
            try:
                while data := connection.recv(65_536):
                    got += data
                    if left_open is not None and len(_statuses(got)) >= left_open:
                        connection.settimeout(_MOMENT_SECONDS)
            except TimeoutError:
                closed = False
            except OSError:
                """Closed with something unread."""
        return _statuses(got), got, closed


def _statuses(got: bytes) -> list[int]:
    lines = [line for line in got.replace(b"\r\n", b"\n").split(b"\n") if b"HTTP/1.1 " in line]
    return [int(line.split(b"HTTP/1.1 ")[1][:3]) for line in lines]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    seen: list[str] = []
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def echo(path: str, request: Request) -> dict[str, Any]:
        seen.append(f"{request.method} /{path}")
        return {"path": path, "body": len(await request.body())}

    install_handlers(app)
    edge = Edge(app, EdgeOptions())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    process = server(edge, host="127.0.0.1", port=0, lifespan="off")
    thread = threading.Thread(target=process.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not process.started:
        time.sleep(0.01)
    yield Running(listener.getsockname()[1], edge, seen)
    process.should_exit = True
    thread.join(timeout=10)
    listener.close()


REFUSED: dict[str, tuple[bytes, int]] = {
    "length and chunked": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n", 400),
    "chunked and length": (
        b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    "two equal lengths": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
    "a list of lengths": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5, 5\r\n\r\nabcde", 400),
    "length with a sign": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: +5\r\n\r\nabcde", 400),
    "length in hex": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 0x5\r\n\r\nabcde", 400),
    "length past 64 bits": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 99999999999999999999\r\n\r\nabcde", 400),
    "space before the colon": (b"POST / HTTP/1.1\r\n" + H + b"Content-Length : 5\r\n\r\nabcde", 400),
    "folded header": (b"GET / HTTP/1.1\r\n" + H + b"X-A: a\r\n b\r\n\r\n", 400),
    "bare CR in a value": (b"GET / HTTP/1.1\r\n" + H + b"X-A: a\rb\r\n\r\n", 400),
    "bare CR as line end": (b"GET / HTTP/1.1\rHost: localhost\r\r", 400),
    "bare LF as line end": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "NUL in a value": (b"GET / HTTP/1.1\r\n" + H + b"X-A: a\x00b\r\n\r\n", 400),
    "NUL in a name": (b"GET / HTTP/1.1\r\n" + H + b"X-\x00A: b\r\n\r\n", 400),
    "control in a value": (b"GET / HTTP/1.1\r\n" + H + b"X-A: a\x01b\r\n\r\n", 400),
    "no name": (b"GET / HTTP/1.1\r\n" + H + b": b\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\n" + H + b"abc\r\n\r\n", 400),
    "chunk size with 0x": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n", 400),
    "chunk size with a sign": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"+5\r\nabcde\r\n0\r\n\r\n", 400),
    "chunk size past 64 bits": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"fffffffffffffffff\r\nabcde\r\n0\r\n\r\n", 400),
    "chunk with bare LF": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"5\nabcde\n0\n\n", 400),
    "chunk longer than its size": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"5\r\nabcdeXX0\r\n\r\n", 400),
    "chunk extension with bare LF": (b"POST / HTTP/1.1\r\n" + H + CHUNKED + b"5;a\nabcde\r\n0\r\n\r\n", 400),
    "gzip, chunked": (b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "xchunked": (b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + H + CHUNKED + b"0\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/2.0 spoken as 1": (b"GET / HTTP/2.0\r\n" + H + b"\r\n", 400),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n" + H + b"\r\n", 400),
    "an unknown method": (b"FOO / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "CONNECT": (b"CONNECT localhost:1 HTTP/1.1\r\n" + H + b"\r\n", 400),
    "a path without slash": (b"GET abc HTTP/1.1\r\n" + H + b"\r\n", 400),
    "a space in the path": (b"GET /a b HTTP/1.1\r\n" + H + b"\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\n" + H + H + b"\r\n", 400),
    "another Host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    "a target for another host": (b"GET http://evil.example/a HTTP/1.1\r\n" + H + b"\r\n", 400),
    "TRACE": (b"TRACE /a HTTP/1.1\r\n" + H + b"\r\n", 405),
    "a long request line": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n" + H + b"\r\n", 414),
    "a very long request line": (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + H + b"\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\n" + H + b"X: " + b"a" * 33_000 + b"\r\n\r\n", 431),
    "101 headers": (b"GET / HTTP/1.1\r\n" + H + b"".join(b"X%d: a\r\n" % n for n in range(100)) + b"\r\n", 431),
    "//": (b"GET //a HTTP/1.1\r\n" + H + b"\r\n", 404),
    "%00": (b"GET /a%00 HTTP/1.1\r\n" + H + b"\r\n", 404),
}
STAYS_OPEN = {"TRACE", "//", "%00", "two Hosts", "no Host", "another Host"}
SECOND = b"GET /smuggled HTTP/1.1\r\n" + H + b"\r\n"


@pytest.mark.parametrize("name", REFUSED)
def test_N06_N07_refused_with_one_answer_and_no_second_request(running: Running, name: str) -> None:
    raw, status = REFUSED[name]
    statuses, got, closed = running.send(raw, left_open=1 if name in STAYS_OPEN else None)
    assert statuses == [status]
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["status"] == status
    assert f"x-request-id: {json.loads(body)['request_id']}".encode() in head
    assert b"uvicorn" not in got.lower()
    if name not in STAYS_OPEN:
        assert closed
        running.seen.clear()
        assert running.send(raw + SECOND)[0] == [status]
        assert "GET /smuggled" not in running.seen


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("absolute target", b"GET http://localhost/a HTTP/1.1\r\n" + H + b"\r\n"),
        ("lower-case method name in a header", b"GET /a HTTP/1.1\r\n" + H + b"X-Method: foo\r\n\r\n"),
        ("chunk extension", b"POST /a HTTP/1.1\r\n" + H + CHUNKED + b"5;x=y\r\nabcde\r\n0\r\n\r\n"),
        ("h2c upgrade is ignored", b"GET /a HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
        ("HTTP/1.0", b"GET /a HTTP/1.0\r\n" + H + b"\r\n"),
    ],
)
def test_N06_well_formed_requests_pass(running: Running, name: str, raw: bytes) -> None:
    statuses, got, _ = running.send(raw, left_open=1)
    assert statuses == [200], (name, got)


def test_N06_a_second_request_after_a_good_one_is_a_request_of_its_own(running: Running) -> None:
    one = b"GET /one HTTP/1.1\r\n" + H + b"\r\n"
    assert running.send(one + one, left_open=2)[0] == [200, 200]
    closing = b"GET /one HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n"
    assert running.send(closing + SECOND)[0] == [200]


BROKEN_BODY = b"POST /broken HTTP/1.1\r\n" + H + CHUNKED + b"5\r\nabcdeXX0\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("burst of broken bodies", BROKEN_BODY * 50, [400]),
        ("a broken body in front of the rule of the path", BROKEN_BODY.replace(b"/broken", b"//") * 20, [400]),
        ("good ones, then a broken body", b"GET /one HTTP/1.1\r\n" + H + b"\r\n", [200, 200, 400]),
        ("good ones, then a broken head", b"GET /one HTTP/1.1\r\n" + H + b"\r\n", [200, 200, 400]),
    ],
)
def test_N06_pipelined_garbage_is_answered_once_in_order_and_logs_no_traceback(
    running: Running, caplog: pytest.LogCaptureFixture, name: str, raw: bytes, expected: list[int]
) -> None:
    if expected[0] == 200:
        raw = raw * 2 + (BROKEN_BODY if "body" in name else b"GET / HTTP/1.1\r\nX\r\n\r\n") + SECOND
    running.seen.clear()
    for _ in range(3):
        statuses, got, closed = running.send(raw)
        assert (statuses, closed) == (expected, True), got
    assert "GET /smuggled" not in running.seen
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelname == "ERROR"] == []


def test_N06_garbage_after_an_answer_that_came_early_closes_without_a_second_one(running: Running) -> None:
    early = b"POST //early HTTP/1.1\r\n" + H + CHUNKED
    statuses, _, closed = running.send(early, b"zz\r\n", pause=0.1)
    assert (statuses, closed) == ([404], True)


def test_N07_a_header_block_without_end_is_cut_while_it_comes(running: Running) -> None:
    begin = b"GET / HTTP/1.1\r\n" + H
    statuses, _, closed = running.send(begin, *[b"X-A: " + b"a" * 8_000 + b"\r\n"] * 8, pause=0.01)
    assert closed
    assert statuses == [431]
    one_line = running.send(begin + b"X-A: ", *[b"a" * 8_000] * 8, pause=0.01)
    assert one_line[2]
    assert one_line[0] == [431]


def test_N07_a_request_line_without_end_is_cut_while_it_comes(running: Running) -> None:
    statuses, _, closed = running.send(b"GET /", *[b"a" * 8_000] * 8, pause=0.01)
    assert closed
    assert statuses == [414]


def test_V01_a_declared_body_over_the_limit_is_413_before_it_is_sent(running: Running) -> None:
    head = b"POST /a HTTP/1.1\r\n" + H + b"Content-Length: 1048577\r\nExpect: 100-continue\r\n\r\n"
    statuses, got, closed = running.send(head)
    assert (statuses, closed) == ([413], True)
    assert b"100 Continue" not in got
    good = b"POST /a HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"
    assert running.send(good, left_open=2)[0] == [100, 200]


def test_V01_a_chunked_body_is_413_when_it_passes_and_the_connection_is_closed(running: Running) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    statuses, _, closed = running.send(b"POST /a HTTP/1.1\r\n" + H + CHUNKED, *[chunk] * 17)
    assert closed
    assert statuses == [413]
    statuses, got, _ = running.send(b"POST /a HTTP/1.1\r\n" + H + CHUNKED, *[chunk] * 16, b"0\r\n\r\n", left_open=1)
    assert statuses == [200]
    assert b'"body":1048576' in got


@pytest.mark.slow
def test_V01_a_client_that_sends_on_regardless_can_read_the_413(running: Running) -> None:
    head = b"POST /a HTTP/1.1\r\n" + H + b"Content-Length: 8000000\r\n\r\n"
    statuses, got, closed = running.send(head, *[b"x" * 500_000] * 16)
    assert (statuses, closed) == ([413], True)
    assert json.loads(got.partition(b"\r\n\r\n")[2])["code"] == "request.too_large"


def test_N01_the_server_does_not_name_itself(running: Running) -> None:
    _, got, _ = running.send(b"GET /a HTTP/1.1\r\n" + H + b"\r\n", left_open=1)
    assert b"server:" not in got.lower()


def test_V04_head_over_the_wire_has_no_body(running: Running) -> None:
    statuses, got, _ = running.send(b"HEAD /a HTTP/1.1\r\n" + H + b"\r\n", left_open=1)
    assert statuses == [200]
    assert got.endswith(b"\r\n\r\n")
    assert b"content-length: " in got


@pytest.mark.slow
def test_F10_a_head_that_does_not_end_in_time_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_protocol, "PATIENCE_SECONDS", 0.15)
    for begun in (b"", b"GET /a HTTP/1.1\r\nHost: lo"):
        statuses, _, closed = running.send(begun)
        assert (statuses, closed) == ([], True)
    monkeypatch.undo()
    assert running.send(b"GET /a HTTP/1.1\r\n" + H + b"\r\n", left_open=1)[0] == [200]


@pytest.mark.slow
def test_F10_line_ends_after_an_answer_begin_no_head_and_hold_no_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_protocol, "PATIENCE_SECONDS", 0.15)
    statuses, _, closed = running.send(b"GET /a HTTP/1.1\r\n" + H + b"\r\n", b"\r\n", pause=0.05)
    assert (statuses, closed) == ([200], True)
    twice = running.send(
        b"GET /a HTTP/1.1\r\n" + H + b"\r\n", b"\r\nGET /b HTTP/1.1\r\n" + H + b"\r\n", pause=0.2, left_open=2
    )
    assert (twice[0], twice[2]) == ([200, 200], False)


@pytest.mark.slow
def test_F10_a_body_that_trickles_on_after_the_answer_is_cut(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_protocol, "PATIENCE_SECONDS", 0.3)
    head = b"POST //refused HTTP/1.1\r\n" + H + b"Content-Length: 1000\r\n\r\n"
    statuses, _, closed = running.send(head, *[b"x"] * 8, pause=0.1)
    assert (statuses, closed) == ([404], True)
    monkeypatch.undo()
    late = running.send(head, b"x" * 1_000, b"GET /a HTTP/1.1\r\n" + H + b"\r\n", pause=0.05, left_open=2)
    assert late[0] == [404, 200]


PROGRAM = """
    import asyncio, sys
    from fastapi import FastAPI
    from freehold.observe.health import Health
    from freehold.observe.metrics import Metrics
    from freehold.web.edge import Edge
    from freehold.web.edge_server import server
    from freehold.web.probes import probe_routes

    app = FastAPI()

    @app.get("/slow")
    async def slow():
        print("going", flush=True)
        while not edge.draining:
            await asyncio.sleep(0.01)
        await asyncio.sleep(float(sys.argv[2]))
        return edge.draining

    def leave(_):
        edge.begin_drain()
        print("leaving", flush=True)

    edge = Edge(app)
    app.router.routes += probe_routes(Health(), Metrics(), is_draining=lambda: edge.draining, show_metrics=False)
    server(edge, host="127.0.0.1", port=int(sys.argv[1]), on_exit=leave).run()
"""


@contextmanager
def _started(seconds: float) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """The program with one request in flight, which goes on for `seconds` after the first signal."""
    port = free_port()
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(port), str(seconds)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            with _connected(port) as connection:
                connection.settimeout(_PATIENCE_SECONDS)
                connection.sendall(b"GET /slow HTTP/1.1\r\n" + H + b"\r\n")
                assert process.stdout is not None
                assert process.stdout.readline() == "going\n"
                yield process, connection
        finally:
            process.kill()


def _connected(port: int) -> socket.socket:
    for _ in range(1200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the program did not start within a minute")


@pytest.mark.slow
@pytest.mark.long
def test_F07_sigterm_ends_what_is_in_flight_and_exits_with_0() -> None:
    with _started(0.5) as (process, connection):
        process.send_signal(signal.SIGTERM)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"true")
        assert process.wait(timeout=20) == 0


@pytest.mark.slow
@pytest.mark.long
def test_F07_a_second_sigterm_ends_now() -> None:
    with _started(60) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "leaving\n"  # two signals at one moment would be one
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def test_the_first_signal_tells_the_edge_before_the_server_stops() -> None:
    told: list[bool] = []
    process: Server = server(
        Edge(FastAPI()), host="127.0.0.1", port=0, on_exit=lambda _: told.append(process.should_exit)
    )
    process.handle_exit(signal.SIGTERM, None)
    assert (told, process.should_exit, process.force_exit) == ([False], True, False)
    process.handle_exit(signal.SIGTERM, None)
    assert (told, process.force_exit) == ([False], True)

"""F11: what a process takes on at once, and what becomes of the rest."""

from __future__ import annotations

import asyncio
import json
import math
import socket
from collections import Counter

import httpx2
import pytest
import uvloop
from fastapi import FastAPI, Request

from freehold.web import edge_load
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.edge_load import Load, is_probe
from freehold.web.edge_refusal import plain_path
from freehold.web.edge_server import server
from freehold.web.problems import install_handlers
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.anyio

NOTHING = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Site:
    """An application whose work goes on until it is told to end, behind an edge that takes on two at once."""

    def __init__(self) -> None:
        self.go, self.begun = asyncio.Event(), 0
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        app.get("/work")(self.work)
        app.get("/health/live")(self.live)
        app.post("/body")(self.body)
        install_handlers(app)
        self.edge = Edge(app, EdgeOptions(in_flight_limit=2))
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.edge), base_url="http://localhost")

    async def work(self) -> None:
        self.begun += 1
        await self.go.wait()

    async def live(self) -> None:
        """Nothing to do."""

    async def body(self, request: Request) -> int:
        return len(await request.body())


async def test_F11_past_the_limit_it_waits_a_moment_and_is_refused_and_probes_never_are(monkeypatch) -> None:
    monkeypatch.setattr(edge_load, "_QUEUED_SECONDS", 0.05)
    site = Site()
    taken = [asyncio.create_task(site.client.get("/work")) for _ in range(2)]
    late = await asyncio.gather(*(site.client.get("/work") for _ in range(5)))
    assert [answer.status_code for answer in late] == [503] * 5
    assert {json.loads(answer.content)["code"] for answer in late} == {"service.at_capacity"}
    assert {answer.headers["retry-after"] for answer in late} == {"1", "2", "3"}
    assert (await site.client.get("/health/live")).status_code == 200
    assert (site.begun, site.edge.in_flight, site.edge.load.refused) == (2, 2, 5)
    site.go.set()
    assert [(await each).status_code for each in taken] == [200, 200]
    assert (site.edge.load.working, site.edge.in_flight) == (0, 0)


async def test_F11_whoever_waits_gets_the_place_of_one_that_is_done_and_one_that_leaves_takes_none(monkeypatch) -> None:
    monkeypatch.setattr(edge_load, "_QUEUED_SECONDS", PATIENCE_SECONDS)
    site = Site()
    asked = [asyncio.create_task(site.client.get("/work")) for _ in range(4)]
    await until(lambda: len(site.edge.load._queue) == 2)
    assert site.begun == 2
    asked[2].cancel()
    await asyncio.sleep(0)
    site.go.set()
    assert [(await each).status_code for each in (asked[0], asked[1], asked[3])] == [200] * 3
    assert (site.edge.load.working, site.edge.in_flight) == (0, 0)


async def test_F11_a_request_without_a_body_is_refused_before_anything_is_made_of_it() -> None:
    site = Site()
    site.edge.edge = site.edge  # as an application has it
    site.edge.load.working = 2  # and as many wait
    site.edge.load._queue.extend((asyncio.get_running_loop().create_future(), math.inf) for _ in range(2))
    serving = server(site.edge, host="127.0.0.1", port=0)
    running = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110  # uvicorn tells nobody
        await asyncio.sleep(0.01)
    address = "http://{}:{}".format(*serving.servers[0].sockets[0].getsockname())
    async with httpx2.AsyncClient(base_url=address) as client:
        refused = [await client.get("/work") for _ in range(3)]
        ids = [answer.json()["request_id"] for answer in refused]
        assert {answer.status_code for answer in refused} == {503}
        assert ids == [answer.headers["x-request-id"] for answer in refused]
        assert len(set(ids)) == 3
        by_the_edge = await client.post("/body", content=b"abc")
        assert by_the_edge.status_code == 503
        assert by_the_edge.headers.keys() == refused[0].headers.keys()
        assert by_the_edge.json().keys() == refused[0].json().keys()
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/work", headers={"Connection": "close"})).status_code == 503
    assert (site.edge.load.refused, site.begun) == (5, 0)
    serving.should_exit = True
    await running


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length: 3\r\n", b"transfer-encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Origin: https://a.example\r\n",
        b"Connection: Upgrade\r\n", b"Connection: close, x\r\n", b" folded: x\r\n", b"Space : x\r\n", b"Bare: \n\r\n", b"Nul: \0\r\n",
        b"\r\nGET /second HTTP/1.1\r\nHost: localhost\r\n",
    ],
)  # fmt: skip
def test_F11_N06_what_has_to_be_judged_is_not_refused_unparsed(more: bytes) -> None:
    head, end = NOTHING[:-2], NOTHING[-2:]
    assert plain_path(head + b"Connection: Keep-Alive\r\nA-B: c, \t d\r\n" + end) == b"/nothing"
    assert plain_path(head + more + end) is None
    assert plain_path(NOTHING.replace(b"GET", b"HEAD")) is None, "whose answer has no body"
    assert plain_path(NOTHING.replace(b"1.1", b"1.0")) is None, "whose connection ends"
    assert plain_path(NOTHING[:-1]) is None


async def test_F11_whoever_sends_on_without_waiting_is_one_request_at_a_time_and_keeps_nobody_out() -> None:
    site = Site()
    edge = site.edge
    edge.edge = edge
    arrived: list[float] = []
    arrives = edge.load.arrives
    edge.load.arrives = lambda loop: arrived.append(arrives(loop)) or arrived[-1]
    serving = server(edge, host="127.0.0.1", port=0)
    running = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110  # uvicorn tells nobody
        await asyncio.sleep(0.01)
    address = serving.servers[0].sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(NOTHING * 9)
    for _ in range(9):
        assert b" 404 " in await reader.readuntil(b"\r\n\r\n")
    assert len(arrived) == 1
    assert edge.load.refused == 0
    writer.close()
    serving.should_exit = True
    await running


async def test_F11_what_arrives_while_work_keeps_the_loop_is_a_queue_and_no_longer_than_one_may_be() -> None:
    site = Site()
    edge = site.edge
    edge.edge = edge
    serving = server(edge, host="127.0.0.1", port=0)
    running = asyncio.create_task(serving.serve())
    while not serving.started:  # noqa: ASYNC110  # uvicorn tells nobody
        await asyncio.sleep(0.01)
    address = serving.servers[0].sockets[0].getsockname()
    streams = [await asyncio.open_connection(*address) for _ in range(9)]
    await until(lambda: len(serving.server_state.connections) == len(streams))
    for _, writer in streams:  # in the kernel, all of them, when the loop comes round to the server again
        writer.write(NOTHING)
    heads = await asyncio.gather(*(reader.readuntil(b"\r\n\r\n") for reader, _ in streams))
    statuses = [int(head[9:12]) for head in heads]
    # Two at once, and two that wait: the work is done without a pause, so that no two of them are ever begun.
    assert Counter(statuses) == {404: 4, 503: 5}
    for reader, writer in streams[:4]:
        await reader.read(2048)
        writer.write(NOTHING)
    assert [int((await reader.readuntil(b"\r\n\r\n"))[9:12]) for reader, _ in streams[:4]] == [404] * 4
    for _, writer in streams:
        writer.close()
    serving.should_exit = True
    await running


def test_F11_those_who_come_at_one_moment_are_let_in_in_a_few_rounds() -> None:
    async def rounds() -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        serving = server(Edge(FastAPI()), host="", port=0, lifespan="off")
        running = asyncio.create_task(serving.serve(sockets=[listener]))
        while not serving.started:  # noqa: ASYNC110  # uvicorn tells nobody
            await asyncio.sleep(0)
        clients = [socket.create_connection(listener.getsockname()) for _ in range(64)]
        number = 0
        while len(serving.server_state.connections) < len(clients):
            await asyncio.sleep(0)
            number += 1
        for client in clients:
            client.close()
        serving.should_exit = True
        await running
        return number

    assert uvloop.run(rounds()) <= 12


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/metrics/"])
def test_F11_what_watches_over_the_process_is_let_in(path: str) -> None:
    assert is_probe(path)


@pytest.mark.parametrize("path", ["/", "/healthy", "/metricsX", "/metrics-of-sales", "/v1/metrics"])
def test_F11_nothing_else_is_let_in_for_its_name(path: str) -> None:
    assert not is_probe(path)


async def test_F10_a_body_that_trickles_in_takes_no_place() -> None:
    site, more = Site(), asyncio.Event()

    async def trickle():
        yield b"a"
        await more.wait()
        yield b"b"

    slow = [asyncio.create_task(site.client.post("/body", content=trickle())) for _ in range(5)]
    await until(lambda: site.edge.in_flight == 5)
    assert site.edge.load.working == 0
    more.set()
    assert [(await each).json() for each in slow] == [2] * 5
    assert (site.edge.load.working, site.edge.in_flight) == (0, 0)


class Moved:
    """A clock that the test sets forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


async def _late(load: Load, clock: Moved, number: int, *, spread: float) -> None:
    """As many requests that come at one moment, answered two seconds later, over `spread` seconds."""
    turns = [await load.enter("/work") for _ in range(number)]
    clock.now += 2
    for turn in turns:
        clock.now += spread / number
        turn.left()


async def test_X05_a_crowd_that_is_late_once_leaves_the_limit_as_it_is(monkeypatch) -> None:
    load, clock = Load(100), Moved()
    monkeypatch.setattr(edge_load, "time", clock)
    await _late(load, clock, 64, spread=0.5)
    for _ in range(80):
        clock.now += 0.01
        (await load.enter("/work")).left()
    await _late(load, clock, 64, spread=0.5)
    assert load.limit == 100, "timely ones between the two"
    clock.now += 5
    await _late(load, clock, 64, spread=0.5)
    assert load.limit == 100, "or enough time"


async def test_F11_answers_that_stay_late_lower_the_limit_and_timely_ones_raise_it_again(monkeypatch) -> None:
    load, clock = Load(100), Moved()
    monkeypatch.setattr(edge_load, "time", clock)
    await _late(load, clock, 60, spread=0.9)
    assert load.limit == 100
    await _late(load, clock, 60, spread=0.9)
    assert load.limit == 42, "once for all that were taken on before: 0.7 of those that were worked on"
    assert load.working == load.in_flight == 0
    for _ in range(2_000):
        (await load.enter("/work")).left()
    assert load.limit == 100

"""The comparison with other frameworks: who disagrees is found, and the load generator measures what it says."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.etree import ElementTree as ET

import pytest
from bench.versus import cpu
from bench.versus.agreement import Disagreement, compare
from bench.versus.chart import chart
from bench.versus.contenders import CONTENDERS, PEERS
from bench.versus.goals import flatness, ratio
from bench.versus.load import drive
from bench.versus.page import page
from bench.versus.workloads import CORE, WORKLOADS, Plan, raw

pytestmark = pytest.mark.anyio
Answer = Callable[[bytes], Awaitable[bytes]]
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    """Answers each head, with its body, by what `answer` makes of it; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b""
                writer.write(await answer(head + body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def plan(port: int, requests: list[str], **further: object) -> dict[str, object]:
    given = {"port": port, "requests": requests, "expected": 200, "seconds": 0.3, "warm_up_seconds": 0.05}
    return {**given, "connections": 4, **further}


async def played(capsys: pytest.CaptureFixture[str], plan: dict[str, object]) -> dict[str, float]:
    await drive(plan)
    begun, told = capsys.readouterr().out.splitlines()
    assert begun == ""
    found: dict[str, float] = json.loads(told)
    return found


async def test_what_is_not_the_expected_answer_is_counted_as_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    async def answer(request: bytes) -> bytes:
        return EMPTY if b"/good" in request else EMPTY.replace(b"200", b"500")

    async with server(answer) as port:
        found = await played(capsys, plan(port, [raw("GET", "/good"), raw("GET", "/bad")]))
    assert found["requests"] > 4
    assert found["wrong"]["500"] == pytest.approx(found["requests"] / 2, abs=4)


async def test_a_paced_load_keeps_its_rate_and_feels_a_stall(capsys: pytest.CaptureFixture[str]) -> None:
    stalls = itertools.cycle([0.15, *[0.0] * 9])

    async def answer(request: bytes) -> bytes:
        await asyncio.sleep(next(stalls))
        return EMPTY

    async with server(answer) as port:
        one = plan(port, [raw("GET", "/")], rate=100, connections=1, warm_up_seconds=0.0)
        found = await played(capsys, one)
    assert found["requests"] <= 100 * found["seconds"] + 1, "a closed loop would have asked thousands of times"
    # All that fell due during a stall waited for it, not the one request in ten alone that met it.
    assert found["p50_ms"] > 5


async def test_a_connection_follows_the_tags_of_its_own_row(capsys: pytest.CaptureFixture[str]) -> None:
    versions = {b"/0": 1, b"/1": 1}
    numbers = set()

    async def answer(request: bytes) -> bytes:
        row = request.split(b" ")[1]
        if request.startswith(b"PATCH"):
            if f'If-Match: "{versions[row]}"'.encode() not in request:
                return EMPTY.replace(b"200 OK", b"412 No")
            versions[row] += 1
            numbers.add(request[-8:])
        return EMPTY.replace(b"\r\n\r\n", f'\r\nETag: "{versions[row]}"\r\n\r\n'.encode())

    rows = Plan(
        [raw("PATCH", f"/{n}", body="@NUMBER@", headers=["If-Match: @TAG@"]) for n in range(2)],
        [raw("GET", f"/{n}") for n in range(2)],
    )
    requests = [each.replace("Content-Length: 10", "Content-Length: 8") for each in rows.requests]
    async with server(answer) as port:
        found = await played(capsys, plan(port, requests, first=rows.first, follows_tags=True, connections=2))
    assert found["wrong"] == {}
    assert min(versions.values()) > 2
    assert len(numbers) == sum(versions.values()) - 2, "each request writes another value"


async def test_on_a_busy_machine_it_counts_until_there_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    async def answer(request: bytes) -> bytes:
        await asyncio.sleep(0.02)
        return EMPTY

    async with server(answer) as port:
        found = await played(capsys, plan(port, [raw("GET", "/")], seconds=0.05, connections=1, least=8))
    assert found["requests"] >= 8


def test_a_contender_that_answers_otherwise_is_named_with_the_question() -> None:
    ours = {"list": [200, {"items": [1, 2]}], "stale": 412}
    compare(ours, dict(ours), "same")
    with pytest.raises(Disagreement, match="other, stale"):
        compare(ours, {**ours, "stale": 200}, "other")
    with pytest.raises(Disagreement, match="shorter, list"):
        compare(ours, {"stale": 412}, "shorter")


def test_cpu_time_is_that_of_the_processes_asked_about() -> None:
    before, ends = cpu.spent([os.getpid(), 2**30]), os.times().user + 0.1
    while os.times().user < ends:
        pass
    assert 0.05 <= cpu.since(before) < 5
    assert cpu.since({2**30: 7.0}) == 0.0, "one that has gone takes nothing away"
    assert cpu.seconds([2**30]) == 0.0
    assert os.getpid() in cpu.tree(os.getppid())


def test_every_contender_has_its_list_of_what_it_needs_and_its_bar() -> None:
    for each in CONTENDERS.values():
        folder = PEERS / each.folder
        assert each.is_ours or any((folder / name).exists() for name in ("requirements.txt", "package.json"))
    drawn = ET.fromstring(chart({"W1": {name: 10.0 * n for n, name in enumerate(CONTENDERS, 1)}}))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}rect")) == len(CONTENDERS)


def runs(*costs: float) -> list[dict[str, float]]:
    return [
        {"server_us": each, "postgresql_us": 5.0, "per_second": 1e6 / each, "p50_ms": 2.0, "p99_ms": 12.0}
        for each in costs
    ]


def figures(*costs: float) -> dict[str, object]:
    """A run in which FastAPI with SQLAlchemy costs ten times as much, everywhere."""
    asked = {
        name: {"freehold": runs(*costs), "fastapi-sqlalchemy": runs(*(10 * each for each in costs))}
        for name in WORKLOADS
    }
    again = {"measured_at": "then", "cores": 2, "load_before": [0.1], "python": "3", "system": "Linux", "versions": {}}
    return {**again, "rounds": asked, "half_of_peak": {"W1": asked["W1"]}}


def test_a_ratio_is_made_in_each_round() -> None:
    found = ratio(runs(100, 400), runs(10, 20))
    assert (found.least, found.median, found.most) == (10, 15, 20)


def test_the_page_tells_what_is_met_and_what_is_missed() -> None:
    found = figures(100, 100)
    found["half_of_peak"] = {"W1": {"freehold": runs(100)}}
    text = page(found)
    assert (
        "10.0 of 10, goal 15: met | 10.0 of 8, goal 12: met | 10.0 of 12, goal 18: missed | 10.0 of 8, goal 15: met"
        in text
    )
    assert "p50 of W1 at half of peak load | 6.00 | at most 5 | missed" in text
    assert all(f"{name}: {WORKLOADS[name].title}" in text for name in CORE)


def test_more_processes_must_give_as_much_and_more_rows_cost_as_little() -> None:
    found = figures(100)
    found["half_of_peak"] = {"W1": {"freehold": runs(100)}}
    found["workers"] = {"2": {"W1": {"freehold": runs(100)}}, "4": {"W1": {"freehold": runs(110)}}}
    found["many_routes"] = {"W1": {"freehold": runs(105)}}
    judged = {each.title: each.is_met for each in flatness(found)}
    assert list(judged.values()) == [True, True, False, False]

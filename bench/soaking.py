"""A million requests to one serving process: whether anything grows (BEHAVIOURS F12).

Reads, lists, searches, inserts, and what is refused: wrong tokens, broken bodies, unknown rows; and clients that hang up in
the middle. What the process holds is looked at after each leg, when nobody asks anything. The first tenth is warm-up. Memory
is RSS: a page shared with the template that is written to becomes the worker's own, which is no growth.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.versus.contenders import CONTENDERS, ROOT
from bench.versus.rounds import Ground, ground
from bench.versus.serving import Served, served
from bench.versus.workloads import DRAFT, Asked, by_city, by_id, deep_page, me, owned, raw, searched

WHOLE = 1_000_000
REQUESTS = int(os.environ.get("SOAK_REQUESTS", WHOLE))  # fewer of them write no page
PAGE = ROOT / "docs" / "reference" / "soaking.md"
LEG_SECONDS = 10
SETTLE_SECONDS = 2  # longer than a lane of the database or a log waits for company
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MOST_GROWTH = 1.1
ROWS = 20_000
WRONG = "nobody's"
ANSWERS = {"200", "201", "304", "400", "401", "404", "422"}


async def run() -> dict[str, Any]:
    """Ask until all were asked; what was held after each leg."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        async with ground(folder, rows=ROWS) as on:
            with served(CONTENDERS["freehold"], on.url, folder, pinned=False) as server:
                legs = await _legs(on, server, folder)
    warm = next(each for each in legs if each["requests"] >= REQUESTS / 10)
    targets = {
        name: _target(warm[name], legs[-1][name]) for name in ("memory_mb", "descriptors", "connections", "files")
    }
    found = {"requests": legs[-1]["requests"], "statuses": legs[-1]["statuses"], "legs": legs, "targets": targets}
    if REQUESTS >= WHOLE:
        PAGE.write_text(_page(found), encoding="utf-8")
    return found


def _target(warm: float, last: float) -> dict[str, Any]:
    """One more than a tenth of few is no growth: a pool may have had room for another connection."""
    return {"after_warm_up": warm, "at_the_end": last, "met": last <= max(warm * MOST_GROWTH, warm + 1)}


async def _legs(on: Ground, server: Served, folder: Path) -> list[dict[str, Any]]:
    requests = _mixture(Asked(server, on.callers, on.rows))
    asked, statuses, found = 0, Counter[str](), []
    while asked < REQUESTS:
        leg = await _leg(server, requests)
        asked += leg["requests"]
        statuses += Counter(leg["wrong"]) + Counter({"200": leg["requests"] - sum(leg["wrong"].values())})
        if strange := set(statuses) - ANSWERS:
            raise AssertionError(f"answers that nobody expects: {strange} in {statuses}")
        await asyncio.sleep(SETTLE_SECONDS)
        found.append({"requests": asked, **await _held(on, server, folder), "statuses": dict(statuses)})
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def _mixture(asked: Asked) -> list[str]:
    token = asked.tokens[0]
    refused = [
        raw("GET", "/v1/users/me", token=WRONG),
        raw("GET", "/v1/properties/018f0000-0000-7000-8000-ffffffffffff"),
        raw("GET", "/v1/properties?sort=nothing"),
        raw("GET", "/v1/nowhere"),
        raw("POST", "/v1/properties", token=token, body={**DRAFT, "bedrooms": "many"}),
        raw("POST", "/v1/properties", token=token, body=["no", "object"]),
    ]
    inserts = [raw("POST", "/v1/properties", token=each, body=DRAFT) for each in asked.tokens]
    some = [by_id(asked).requests[:2000], by_city(asked).requests, searched(asked).requests, me(asked).requests]
    some += [owned(asked).requests, deep_page(asked).requests, inserts, refused]
    longest = max(len(each) for each in some[1:])
    # By turns: one kind after the other, each of its own as often as it has to be to last.
    turns = [each[n % len(each)] for n in range(longest) for each in some]
    return turns + list(some[0])


async def _leg(server: Served, requests: list[str]) -> dict[str, Any]:
    plan = {
        "port": server.port,
        "requests": requests,
        "expected": 200,
        "seconds": LEG_SECONDS,
        "warm_up_seconds": 0,
        "connections": 64,
    }
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.versus.load")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=2**24)
    hanging_up = asyncio.create_task(_hang_up(server.port))
    told, _ = await process.communicate(json.dumps(plan).encode())
    hanging_up.cancel()
    with suppress(asyncio.CancelledError):  # whatever else has ended it before is told
        await hanging_up
    return dict(json.loads(told.splitlines()[-1]))


async def _hang_up(port: int) -> None:
    """Clients that leave in their request's head, in its body, and before the answer."""
    body = b"POST /v1/properties HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    while True:
        for said in (b"GET /v1/prop", body, b"GET /v1/properties?limit=20 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(said)
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)


async def _held(on: Ground, server: Served, folder: Path) -> dict[str, Any]:
    # Three processes, the last of which serves.
    return _held_by(server.processes()[-1], folder) | {"connections": len(await on.watch.backends())}


def _held_by(worker: int, folder: Path) -> dict[str, Any]:
    return {
        "memory_mb": round(int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * PAGE_BYTES / 2**20, 1),
        "descriptors": len(list(Path(f"/proc/{worker}/fd").iterdir())),
        "files": sum(len(files) for _, _, files in os.walk(folder)),
    }


NAMES = {
    "memory_mb": "memory, MB",
    "descriptors": "descriptors",
    "connections": "connections of the database",
    "files": "files in its folders",
}


def _page(found: dict[str, Any]) -> str:
    answers = ", ".join(f"{number:,} of {status}" for status, number in sorted(found["statuses"].items()))
    rows = [
        f"| {NAMES[name]} | {each['after_warm_up']} | {each['at_the_end']} | {'yes' if each['met'] else 'no'} |"
        for name, each in found["targets"].items()
    ]
    return "\n".join(
        [
            "# What a million requests leave behind",
            "",
            "Written by `python -m bench soaking`; the data, with what was held after each leg, is in `bench/results/soaking.json`.",
            f"One serving process on PostgreSQL, 64 connections, {found['requests']:,} requests: reads by id, lists, searches, deep pages,",
            "inserts, and what is refused, while other clients hang up in the middle of a request. Each leg's clients connect anew.",
            f"Answers: {answers}.",
            "",
            "| | after a tenth | at the end | within a tenth more |",
            "|---|--:|--:|---|",
            *rows,
            "",
        ]
    )

"""More than a process can bear: what it cannot do it says at once, and what it takes on it does (F10, F11)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import Server, people
from tests.faults.wire import Answer, Connection, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]

PAGE = b"GET /v1/properties?limit=5 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LIVE = request("GET", "/health/live")


async def best(port: int, seconds: float) -> float:
    """Answers a second, asked for by as many clients as it takes to keep the process busy."""
    statuses, until = Counter[int](), time.monotonic() + seconds

    async def ask(client: Connection) -> None:
        while time.monotonic() < until:
            statuses[(await client.ask(PAGE)).status] += 1

    with crowd(16, port) as clients:
        await asyncio.gather(*map(ask, clients))
    return statuses[200] / seconds


async def press(port: int, rate: float, seconds: float) -> list[Answer]:
    """Ask so many times a second, whether or not the earlier ones are answered."""
    answers: list[Answer] = []
    with crowd(1_000, port) as clients:
        until = time.monotonic() + seconds

        async def ask(client: Connection) -> None:
            while True:
                pause = random.expovariate(rate / len(clients))
                if time.monotonic() + pause > until:
                    return
                await asyncio.sleep(pause)
                answers.append(await client.ask(PAGE))

        await asyncio.gather(*map(ask, clients))
    return answers


def cpu_of(server: Server) -> float:
    """Seconds of the processor that it has had."""
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(server: Server) -> float:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def test_F11_at_four_times_its_load_it_does_nearly_as_much_as_at_its_best(
    tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/load.db"
    server = serve(url, FREEHOLD_CACHE_LIMIT="0", FREEHOLD_LOG_LEVEL="info")
    await server.start()
    await people(url, tmp_path, houses=100)
    await best(server.port, 1)
    spent = cpu_of(server)
    at_best = await best(server.port, 5)
    for_one = (cpu_of(server) - spent) / (at_best * 5)
    before, spent = memory_of(server), cpu_of(server)
    pressing = asyncio.create_task(press(server.port, 4 * at_best, 10))
    probes = []
    with crowd(1, server.port) as (prober,):
        while not pressing.done():
            probes.append(await prober.ask(LIVE))
            await asyncio.sleep(0.2)
    answers = await pressing
    spent = cpu_of(server) - spent
    after = memory_of(server)
    back = time.monotonic()
    with crowd(1, server.port) as (client,):
        while (await client.ask(PAGE)).status != 200 or (await client.ask(PAGE)).seconds > 0.2:
            assert time.monotonic() - back < 5
    good = [answer.seconds for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status == 503]
    # By what the process was given of the processor, which others share: throughput alone would measure them.
    share = len(good) * for_one / spent
    figures(
        **{
            "best": f"{at_best:.0f}/s", "asked": f"{len(answers) / 10:.0f}/s", "good": f"{len(good) / 10:.0f}/s",
            "good for its CPU time": f"{share:.0%} of the best", "refused": len(refused),
            "slowest good": f"{max(good):.2f} s", "slowest probe": f"{max(p.seconds for p in probes):.2f} s",
            "memory": f"{before:.0f} to {after:.0f} MiB",
        }
    )  # fmt: skip
    assert len(good) + len(refused) == len(answers)
    assert {answer.code for answer in refused} == {"service.at_capacity"}
    assert all("retry-after" in answer.headers for answer in refused)
    assert {probe.status for probe in probes} == {200}
    assert share > 0.8
    assert after < before * 1.5 + 50


async def test_F10_slow_clients_are_cut_and_hold_up_nobody(
    tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None]
) -> None:
    server = serve(f"sqlite+aiosqlite:///{tmp_path}/slow.db")
    await server.start()
    began = time.monotonic()
    cut: dict[str, list[float]] = {}
    head = b"POST /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"

    async def dribble(kind: str, opening: bytes, piece: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening)

        async def feed() -> None:
            while piece:
                writer.write(piece)
                await asyncio.sleep(1)

        feeding = asyncio.create_task(feed())
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
        cut.setdefault(kind, []).append(time.monotonic() - began)
        feeding.cancel()
        writer.transport.abort()

    async def sip() -> None:
        """Read 100 bytes a second of more than the kernel takes off the server's hands (2.5 MB on this machine's loopback)."""
        taking = socket.socket()
        taking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        taking.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(taking, ("127.0.0.1", server.port))
        await loop.sock_sendall(taking, request("GET", "/openapi.json") * 30)
        with contextlib.suppress(OSError), taking:
            while await loop.sock_recv(taking, 100):  # noqa: ASYNC110  # the pace is the point
                await asyncio.sleep(1)
        cut.setdefault("reader", []).append(time.monotonic() - began)

    answers: list[Answer] = []
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(dribble("head", head, b"X-A: b\r\n")) for _ in range(50)]
        slow += [group.create_task(dribble("body", head + form, b"a")) for _ in range(50)]
        slow += [group.create_task(dribble("idle", b"", b"")) for _ in range(50)]
        slow += [group.create_task(sip()) for _ in range(5)]
        with crowd(1, server.port) as (client,):
            while not all(each.done() for each in slow):
                answers.append(await client.ask(request("GET", "/v1/properties?limit=5")))
                await asyncio.sleep(0.05)
                assert time.monotonic() - began < 90, {kind: len(times) for kind, times in cut.items()}
    assert {answer.status for answer in answers} == {200}
    times = sorted(answer.seconds for answer in answers)
    figures(
        **{kind: f"cut after {min(found):.0f} to {max(found):.0f} s" for kind, found in cut.items()},
        ordinary=len(times), p99=f"{times[int(len(times) * 0.99)] * 1000:.0f} ms",
    )  # fmt: skip
    assert max(max(found) for found in cut.values()) < 60

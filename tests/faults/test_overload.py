"""More than a process can bear: what it cannot do it says at once, and what it takes on it does (F10, F11)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.pressing import PAGE, Found
from tests.faults.served import ROOT, Server, people
from tests.faults.wire import Answer, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]

LIVE = request("GET", "/health/live")
SECONDS = 10


async def press(server: Server, per_second: float, seconds: float, connections: int) -> Found:
    """See `pressing`, in a process of its own, for two processes have two cores."""
    command = [
        sys.executable,
        "-m",
        "tests.faults.pressing",
        *map(str, (server.port, per_second, seconds, connections)),
    ]
    running = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told, _ = await running.communicate()
    return Found(**json.loads(told))


def cpu_of(server: Server) -> float:
    """Seconds of the processor that it has had."""
    assert server.process is not None
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(server: Server) -> float:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize("times", [2, 4])
async def test_F11_at_several_times_its_load_it_does_nearly_as_much_as_at_its_best(
    tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], times: int
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/load.db"
    server = serve(url, FREEHOLD_CACHE_LIMIT="0", FREEHOLD_LOG_LEVEL="info")
    await server.start()
    await people(url, tmp_path, houses=100)
    await press(server, 0, 1, 16)
    spent = cpu_of(server)
    at_best = await press(server, 0, 5, 16)
    for_one = (cpu_of(server) - spent) / at_best.good
    before, spent = memory_of(server), cpu_of(server)
    pressing = asyncio.create_task(press(server, times * at_best.good / at_best.seconds, SECONDS, 1_000))
    probes = []
    with crowd(1, server.port) as (prober,):
        while not pressing.done():
            probes.append(await prober.ask(LIVE))
            await asyncio.sleep(0.2)
    found = await pressing
    spent = cpu_of(server) - spent
    after = memory_of(server)
    back = time.monotonic()
    with crowd(1, server.port) as (client,):
        while (await client.ask(PAGE)).status != 200 or (await client.ask(PAGE)).seconds > 0.2:
            assert time.monotonic() - back < 5
    # By what the process was given of the processor, which others share: throughput alone would measure them.
    share = found.good * for_one / spent
    refusals = 503 in found.statuses
    figures(
        **{
            "best": f"{at_best.good / at_best.seconds:.0f}/s", "one costs": f"{for_one * 1e6:.0f} us",
            "asked": f"{found.asked / SECONDS:.0f}/s", "good": f"{found.good / SECONDS:.0f}/s",
            "good for its CPU time": f"{share:.0%} of the best", "refused": found.statuses[503],
            "one refusal costs": f"{(spent - found.good * for_one) / max(1, found.statuses[503]) * 1e6:.0f} us at most",
            "not sent": found.not_sent, "slowest good": f"{found.slowest:.2f} s",
            "slowest probe": f"{max(p.seconds for p in probes):.2f} s", "memory": f"{before:.0f} to {after:.0f} MiB",
        }
    )  # fmt: skip
    assert refusals
    assert set(found.statuses) == {200, 503}
    assert (found.amiss, found.cut) == (0, 0)
    assert {probe.status for probe in probes} == {200}
    assert share > 0.8
    assert after < before * 1.5 + 50


def is_established(connection: socket.socket) -> bool:
    """By Linux's `struct tcp_info`, which begins with the state: 1 is TCP_ESTABLISHED."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


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
            # Until the connection is reset: what the kernel on this side has taken could be sipped for long after that.
            while is_established(taking) and await loop.sock_recv(taking, 100):  # noqa: ASYNC110
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

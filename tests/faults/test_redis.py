"""Four processes on one Redis: limits and kept answers are shared exactly; and the service goes on without Redis (R03, H03, F03)."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.faults.served import Server
from tests.faults.tcp_proxy import Line, line_to
from tests.faults.wire import Answer, ask, at_once, crowd, request
from tests.redis_server import OwnRedis, own_redis

from freehold.remote import Away, RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]

APP = "tests.faults.shared_app:app"
Serve = Callable[..., Server]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    with own_redis(tmp_path) as own:
        yield own


@pytest.fixture
def settings(tmp_path: Path, redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("MADE_FILE", str(tmp_path / "made"))
    return {
        "target": APP,
        "FREEHOLD_REDIS_URL": redis.url,
        "FREEHOLD_LIMITS": "on",
        "FREEHOLD_IN_FLIGHT_LIMIT": "1000",
    }


async def ask_all(ports: Sequence[int], sent: bytes, times: int) -> list[Answer]:
    """At the same moment, on a connection each, which are open by then."""
    with crowd(times, *ports) as clients:
        await at_once(clients, [request("GET", "/health/live")] * times)
        return await at_once(clients, [sent] * times)


async def answered(ports: Sequence[int], sent: bytes, times: int) -> list[Answer]:
    """As `ask_all`; whom a busy process turns away (F11) asks again."""
    answers = await ask_all(ports, sent, times)
    while away := [answer for answer in answers if answer.code == "service.at_capacity"]:
        await asyncio.sleep(0.2)
        answers = [answer for answer in answers if answer not in away] + await ask_all(ports, sent, len(away))
    return answers


async def test_R03_H03_limits_and_answers_are_shared_exactly_by_four_processes(
    database_url: str, tmp_path: Path, serve: Serve, settings: dict[str, str], figures: Callable[..., None]
) -> None:
    servers = [serve(database_url, **settings) for _ in range(4)]
    for server in servers:
        await server.start()
    ports = [server.port for server in servers]

    answers = await ask_all(ports, request("GET", "/v1/shared/limited"), 200)
    processes = {answer.json for answer in answers if answer.status == 200}
    assert Counter(answer.status for answer in answers) == {200: 50, 429: 150}

    body = "grant_type=password&username=ada%40example.com&password=wrong+and+long+enough"
    head = f"POST /v1/auth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    log_in = f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()
    tries = Counter(answer.status for answer in await ask_all(ports, log_in, 40))
    assert tries == {401: 5, 429: 35}

    began = time.perf_counter()
    texts = await answered(ports, request("GET", "/v1/shared-notes/texts"), 1000)
    seconds = time.perf_counter() - began
    assert Counter((answer.status, answer.body) for answer in texts) == {(200, b'{"texts":[]}'): 1000}
    made = (tmp_path / "made").read_text().splitlines()
    assert len(made) == 1
    figures(
        processes=len(processes), limited="50 of 200", log_in="5 of 40", made=f"{len(made)} for 1000 in {seconds:.1f} s"
    )


async def median_seconds(port: int, path: str, count: int = 100) -> float:
    with crowd(1, port) as (client,):
        answers = [await client.ask(request("GET", path)) for _ in range(count)]
    assert {answer.status for answer in answers} == {200}
    return statistics.median(answer.seconds for answer in answers)


async def slowest_seconds(port: int, path: str) -> float:
    with crowd(8, port) as clients:
        answers = [answer for _ in range(6) for answer in await at_once(clients, [request("GET", path)] * 8)]
    assert {answer.status for answer in answers} <= {200, 429}
    return max(answer.seconds for answer in answers)


async def stopped(line: Line, redis: OwnRedis) -> None:
    await line.cut()


async def slow(line: Line, redis: OwnRedis) -> None:
    line.delay_seconds = 2


async def black_holed(line: Line, redis: OwnRedis) -> None:
    line.is_swallowed = True


async def emptied(line: Line, redis: OwnRedis) -> None:
    redis.say("FLUSHALL")


@pytest.mark.parametrize("fault", [stopped, slow, black_holed, emptied])
async def test_F03_redis_fails_and_nobody_waits_for_it(
    postgres_url: str,
    serve: Serve,
    settings: dict[str, str],
    redis: OwnRedis,
    figures: Callable[..., None],
    *,
    fault: Callable[[Line, OwnRedis], None],
) -> None:
    async with line_to(str(redis.socket)) as line:
        url = f"redis://127.0.0.1:{line.port}"
        server, healthy = (
            serve(postgres_url, **(settings | {"FREEHOLD_REDIS_URL": url})),
            serve(postgres_url, **settings),
        )
        for each in (server, healthy):
            await each.start()
        own = RedisServer(url)
        await own.open()
        assert await median_seconds(server.port, "/v1/shared-notes/texts", 5) < 0.3
        await fault(line, redis)  # type: ignore[func-returns-value]
        gave_up = []
        for _ in range(5):
            began = time.perf_counter()
            try:
                await own.ask(("PING",))
            except Away:
                gave_up.append(time.perf_counter() - began)
        without, needing = await asyncio.gather(
            median_seconds(server.port, "/v1/shared/plain"), slowest_seconds(server.port, "/v1/shared/limited")
        )
        # Beside a process whose Redis is well, at the same time: the machine may have other things to do.
        alone, usual = await asyncio.gather(
            *(median_seconds(each.port, "/v1/shared/plain", 200) for each in (server, healthy))
        )
        texts = await slowest_seconds(server.port, "/v1/shared-notes/texts")
        ready = await ask(server.port, request("GET", "/health/ready"))
        await own.close()
        figures(
            fault=fault.__name__,
            usual=f"{usual * 1000:.1f} ms",
            meanwhile=f"{without * 1000:.1f} ms",
            after=f"{alone * 1000:.1f} ms",
            slowest_limited=f"{needing * 1000:.0f} ms",
            slowest_kept=f"{texts * 1000:.0f} ms",
            gave_up=f"{max(gave_up, default=0) * 1000:.0f} ms",
            health=ready.json["status"],
        )
        # The middle one: this process itself is held up at times by what the servers do. After a few the breaker is open.
        assert statistics.median([seconds for seconds in gave_up if seconds > 0.01] or [0]) < 0.3
        assert alone < 2 * usual
        assert needing < 1
        assert (ready.status, ready.json["status"]) == (200, "ok" if fault is emptied else "degraded")

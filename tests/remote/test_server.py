"""One Redis for a process: what it answers, how long anybody waits for it, and what is said when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tests.certificates import certificate
from tests.ports import free_port
from tests.redis_server import OwnRedis, own_redis
from tests.waiting import until

from freehold.errors import ConfigurationError
from freehold.observe.metrics import Metrics
from freehold.remote import Away, RedisServer, Refused, Script

pytestmark = pytest.mark.anyio

DOUBLE = Script("return tonumber(ARGV[1]) * 2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own_redis(tmp_path_factory.mktemp("redis"), "--requirepass", "open-sesame") as own:
        yield own


def url_of(server: OwnRedis, password: str = "open-sesame") -> str:
    return server.url.replace("unix://", f"unix://:{password}@")


@asynccontextmanager
async def client(
    server: OwnRedis, *, metrics: Metrics | None = None, seconds: float = 0.25
) -> AsyncIterator[RedisServer]:
    opened = RedisServer(url_of(server), prefix="t", metrics=metrics, answer_seconds=seconds)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def test_replies_come_in_the_order_of_their_questions_also_from_many_at_once(server: OwnRedis) -> None:
    async with client(server) as redis:

        async def one(number: int) -> None:
            wrote, read, refused = await redis.ask(
                ("SET", redis.key("n", str(number)), number, "EX", 5),
                ("GET", redis.key("n", str(number))),
                ("NONSENSE",),
            )
            assert (wrote, read) == (b"OK", str(number).encode())
            assert isinstance(refused, Exception) and "unknown command" in str(refused)

        await asyncio.gather(*(one(number) for number in range(100)))
        given_up = asyncio.ensure_future(redis.ask(("GET", redis.key("n", "1"))))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await redis.ask(("GET", redis.key("n", "2"))) == [b"2"]


async def test_a_script_runs_also_where_the_server_has_forgotten_it(server: OwnRedis) -> None:
    async with client(server) as redis:
        assert await redis.run(DOUBLE, [], 2) == 4
        await redis.ask(("SCRIPT", "FLUSH"))
        assert await redis.run(DOUBLE, [], 3) == 6
        with pytest.raises(Refused, match="attempt to perform arithmetic"):
            await redis.run(DOUBLE, [], "x")


async def test_F03_a_silent_server_is_given_up_left_alone_and_found_again(
    server: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    async with client(server, metrics=metrics, seconds=0.5) as redis:
        server.freeze()
        try:
            for _ in range(3):
                with pytest.raises(Away, match="no answer within 500 ms"):
                    await redis.ask(("PING",))
            await until(lambda: redis.is_away)
            with pytest.raises(Away, match="Redis is away"):
                await redis.ask(("PING",))
            assert value(metrics.registry, "freehold_redis_up") == 0
        finally:
            server.thaw()
        await until(lambda: not redis.is_away)
        assert await redis.ask(("PING",)) == [b"PONG"]
        assert value(metrics.registry, "freehold_redis_up") == 1
        assert value(metrics.registry, "freehold_redis_lost_total") == 1
    said = [record.getMessage() for record in caplog.records if record.name == "freehold.redis"]
    assert [line.split(";")[0].split(" server=")[0] for line in said] == ["redis is away", "redis is back"]
    assert "open-sesame" not in "".join(said)


async def test_F03_a_cut_connection_fails_what_was_asked_and_is_made_anew(server: OwnRedis) -> None:
    async with client(server) as redis:
        (number,) = await redis.ask(("CLIENT", "ID"))
        async with client(server) as other:
            asked = asyncio.ensure_future(redis.ask(("BLPOP", redis.key("never"), 5)))
            await asyncio.sleep(0.01)
            await other.ask(("CLIENT", "KILL", "ID", number))
        with pytest.raises(Away):
            await asked
        await until(lambda: not redis.is_away)
        assert (await redis.ask(("CLIENT", "ID"))) != [number]


async def test_a_service_starts_without_its_redis_but_not_with_a_wrong_password(server: OwnRedis) -> None:
    nowhere = RedisServer(f"unix://{server.socket}.nowhere")
    await nowhere.open()
    assert nowhere.is_away
    await nowhere.close()
    refused = RedisServer(url_of(server, "guessed"))
    with pytest.raises(ConfigurationError, match="FREEHOLD_REDIS_URL") as told:
        await refused.open()
    assert "guessed" not in str(told.value)
    await refused.close()


async def test_messages_arrive_and_a_subscriber_that_was_cut_off_listens_again(server: OwnRedis) -> None:
    heard: list[tuple[str, bytes]] = []
    gaps: list[None] = []
    async with client(server) as redis:
        channel = redis.key("news")
        subscription = redis.subscribe(
            channel,
            redis.key("more"),
            told=lambda where, what: heard.append((where, what)),
            gap=lambda: gaps.append(None),
        )
        await subscription.listens()
        await redis.ask(("PUBLISH", channel, "one"))
        await until(lambda: heard == [("t:news", b"one")])
        await redis.ask(("CLIENT", "KILL", "TYPE", "pubsub"))
        await until(lambda: len(gaps) == 2)
        await redis.ask(("PUBLISH", channel, "two"))
        await until(lambda: heard == [("t:news", b"one"), ("t:news", b"two")])
        await subscription.close()
        assert await redis.ask(("PUBLISH", channel, "three")) == [0]


def value(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(name)


@pytest.mark.parametrize("is_believed", [True, False])
async def test_over_tls_the_certificate_of_the_server_has_to_be_one_that_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_believed: bool
) -> None:
    certificate(tmp_path)
    pem, port = str(tmp_path / "server.pem"), free_port()
    tls = ("--tls-port", str(port), "--tls-cert-file", pem, "--tls-key-file", pem, "--tls-auth-clients", "no")
    if is_believed:
        monkeypatch.setenv("SSL_CERT_FILE", pem)
    with own_redis(tmp_path, *tls):
        server = RedisServer(f"rediss://127.0.0.1:{port}/0", prefix="t")
        await server.open()
        try:
            assert server.is_away is not is_believed
            if is_believed:
                assert await server.run(DOUBLE, [], 21) == 42
        finally:
            await server.close()

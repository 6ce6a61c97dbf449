"""The quotas of log-in over several processes, each with a connection of its own to one Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from tests.redis_server import OwnRedis

from freehold.identity.throttle import Throttle
from freehold.remote import RedisServer
from freehold.traffic.limits import QuotaExceeded
from freehold.traffic.limits_redis import RedisLimiter

pytestmark = pytest.mark.anyio


@pytest.fixture
async def processes(redis_server: OwnRedis, redis: RedisServer) -> AsyncIterator[list[Throttle]]:
    async with AsyncExitStack() as stack:
        clients = [RedisServer(redis_server.url, prefix=redis.key()) for _ in range(4)]
        for client in clients:
            stack.push_async_callback(client.close)
            await client.open()
        yield [Throttle(RedisLimiter(client)) for client in clients]


async def test_R03_R05_five_tries_a_minute_whatever_process_they_come_to(
    processes: list[Throttle], redis: RedisServer
) -> None:
    tries = (processes[n % 4].admit("login", address="192.0.2.1", person="zoe") for n in range(40))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 5
    refused = {type(outcome) for outcome in outcomes} - {type(None)}
    assert refused == {QuotaExceeded}
    await processes[0].admit("login", address="192.0.2.2", person="zoe")
    await processes[1].admit("login", address="192.0.2.1", person="bob")
    (keys,) = await redis.ask(("KEYS", redis.key("*")))
    assert keys and not any(b"192.0" in key or b"zoe" in key for key in keys), "Redis is told of nobody"


async def test_A08_a_thousand_accounts_from_one_address_are_stopped_in_all_processes(processes: list[Throttle]) -> None:
    tries = (processes[n % 4].admit("login", address="192.0.2.1", person=f"{n}") for n in range(200))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 60


async def test_A07_ten_wrong_passwords_slow_an_account_in_all_processes(processes: list[Throttle]) -> None:
    slowed = await asyncio.gather(*(processes[n % 4].try_password("ada") for n in range(40)))
    assert slowed.count(None) == 10
    await processes[2].password_was_right("ada")
    assert await processes[3].try_password("ada") is None
    assert await processes[0].try_password("ada") is not None


async def test_R03_ten_letters_an_hour_to_one_mailbox_whoever_asks(processes: list[Throttle]) -> None:
    asked = (processes[n % 4].admit_letter("registration", recipient="ada@example.com") for n in range(60))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 10
    await processes[0].admit_letter("invitation", recipient="ada@example.com")
    await processes[1].admit_letter("registration", recipient="bob@example.com")


async def test_R03_ten_letters_an_hour_for_who_asks_from_one_address_and_thirty_for_all(
    processes: list[Throttle],
) -> None:
    ada = {"recipient": "ada@example.com"}
    asked = (
        processes[n % 4].admit_letter("magic-link", address=f"192.0.2.{where}", **ada)
        for where in range(4)
        for n in range(20)
    )
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    let_in = [sum(outcome is None for outcome in outcomes[20 * where :][:20]) for where in range(4)]
    assert (sum(let_in), max(let_in)) == (30, 10)
    await processes[0].admit_letter("magic-link", address="192.0.2.0", recipient="bob@example.com")


async def test_R03_the_eleventh_reset_is_no_refusal(processes: list[Throttle]) -> None:
    many = await asyncio.gather(*(processes[n % 4].has_had_many("reset", recipient="ada") for n in range(40)))
    assert many.count(False) == 10
    assert not await processes[0].has_had_many("reset", recipient="bob")


async def test_R06_with_redis_away_each_process_counts_for_itself(redis_server: OwnRedis) -> None:
    alone = Throttle(RedisLimiter(RedisServer(f"{redis_server.url}.nowhere")))
    for _ in range(5):
        await alone.admit("login", address="192.0.2.1", person="zoe")
    with pytest.raises(QuotaExceeded):
        await alone.admit("login", address="192.0.2.1", person="zoe")

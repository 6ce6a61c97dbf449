"""The port of what is in progress: so many at once, and what becomes of those who held a place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from tests.redis_server import OwnRedis
from tests.waiting import until

from freehold.remote import RedisServer
from freehold.traffic.places import Full, MemoryPlaces, Places
from freehold.traffic.places_redis import RedisPlaces

pytestmark = pytest.mark.anyio
TWO = [("a", 2)]


@pytest.fixture(params=["memory", "redis"])
def places(request: pytest.FixtureRequest) -> Places:
    return MemoryPlaces() if request.param == "memory" else RedisPlaces(request.getfixturevalue("redis"))


async def is_free(places: Places, *wanted: tuple[str, int]) -> bool:
    try:
        async with places.held(wanted):
            return True
    except Full:
        return False


async def test_R07_so_many_at_once_and_no_more(places: Places) -> None:
    async with places.held(TWO):
        async with places.held(TWO):
            assert not await is_free(places, *TWO)
            assert await is_free(places, ("b", 1))
        assert await is_free(places, *TWO)
    with pytest.raises(RuntimeError, match="a request that fails"):
        async with places.held(TWO):
            raise RuntimeError("a request that fails")
    assert await is_free(places, ("a", 1))


async def test_a_place_of_each_or_none_of_any(places: Places) -> None:
    async with places.held([("mine", 1)]):
        with pytest.raises(Full) as full:
            async with places.held([("all", 5), ("mine", 1)]):
                raise AssertionError("there was no place")
        assert full.value.name == "mine"
        assert await is_free(places, ("all", 1))


async def test_R07_a_request_that_is_given_up_leaves_its_place(places: Places) -> None:
    inside = asyncio.Event()

    async def request() -> None:
        async with places.held([("a", 1)]):
            inside.set()
            await asyncio.Event().wait()

    given_up = asyncio.create_task(request())
    await inside.wait()
    assert not await is_free(places, ("a", 1))
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert await is_free(places, ("a", 1))


@pytest.fixture
async def processes(redis_server: OwnRedis, redis: RedisServer) -> AsyncIterator[Callable[[], RedisServer]]:
    """Further clients with the same keys, as other processes have."""
    opened: list[RedisServer] = []

    def another() -> RedisServer:
        opened.append(RedisServer(redis_server.url, prefix=redis.key()))
        return opened[-1]

    yield another
    for each in opened:
        await each.close()


async def test_R07_places_are_shared_by_all_processes(redis: RedisServer, processes: Callable[[], RedisServer]) -> None:
    other = processes()
    await other.open()
    async with AsyncExitStack() as stack:
        for client in (redis, other):
            await stack.enter_async_context(RedisPlaces(client).held(TWO))
        for client in (redis, other):
            assert not await is_free(RedisPlaces(client), *TWO)
    assert await is_free(RedisPlaces(redis), ("a", 1))


async def test_R07_the_places_of_a_process_that_died_are_free_when_their_lease_is_over(
    redis: RedisServer, processes: Callable[[], RedisServer]
) -> None:
    dying, living = processes(), RedisPlaces(redis, lease_seconds=2)
    await dying.open()
    held = RedisPlaces(dying, lease_seconds=2).held(TWO)
    await held.__aenter__()
    await dying.close()  # it renews no more, and gives nothing back
    async with living.held(TWO):
        assert not await is_free(living, *TWO)
        await until(lambda: is_free(RedisPlaces(redis), *TWO))
        assert not await is_free(RedisPlaces(redis), ("a", 1)), "the living one renews its own"
    await held.__aexit__(None, None, None)


async def test_R07_with_redis_away_each_process_counts_for_itself(processes: Callable[[], RedisServer]) -> None:
    alone = RedisPlaces(processes())
    async with alone.held(TWO), alone.held(TWO):
        assert not await is_free(alone, *TWO)
    assert await is_free(alone, *TWO)

"""One connection for everybody, and its end."""

from __future__ import annotations

import asyncio

import pytest
from tests.redis_server import OwnRedis

from freehold.remote.driver import connect
from freehold.remote.lane import Lane
from freehold.settings.redis import RedisAddress

pytestmark = pytest.mark.anyio


async def test_a_close_that_is_cut_short_leaves_no_connection(redis_server: OwnRedis) -> None:
    connection = await connect(RedisAddress.parse(redis_server.url), name="test")
    lane = Lane(connection, seconds=1, lost=lambda _: None)
    assert await lane.ask([("PING",)]) == [b"PONG"]
    closing = asyncio.create_task(lane.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert not connection.is_connected

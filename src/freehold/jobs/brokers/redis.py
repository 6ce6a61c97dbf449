"""Wake-ups by Redis or Valkey: published, and forgotten."""

from __future__ import annotations

from freehold.jobs.waking import Heard
from freehold.remote.driver import connect
from freehold.remote.lane import Lane
from freehold.remote.subscription import Subscription
from freehold.settings.redis import RedisAddress

_SECONDS = 2.0


class RedisBroker:
    """See `Broker`. Not by `RedisServer`, which would try again, and say so, beside the announcer."""

    def __init__(self, url: str, topic: str) -> None:
        self._address = RedisAddress.parse(url)
        self._topic = topic
        self._lane: Lane | None = None
        self._subscription: Subscription | None = None

    async def connect(self, heard: Heard) -> None:
        """See `Broker`."""
        connection = await connect(self._address, name="freehold-broker")
        self._lane = Lane(connection, seconds=_SECONDS, lost=lambda _: None)
        self._subscription = Subscription(
            lambda: connect(self._address, name="freehold-broker-listener"),
            [self._topic],
            told=lambda _, message: heard(message),
            gap=None,
            ended=lambda _: None,
        )
        await self._subscription.listens()

    async def send(self, message: bytes) -> None:
        """See `Broker`."""
        await self._ask("PUBLISH", self._topic, message)

    async def check(self) -> None:
        """See `Broker`."""
        await self._ask("PING")

    async def close(self) -> None:
        """See `Broker`."""
        subscription, self._subscription = self._subscription, None
        lane, self._lane = self._lane, None
        try:
            if subscription is not None:
                await subscription.close()
        finally:  # whoever cannot wait for the one closes the other all the same
            if lane is not None:
                await lane.close()

    async def _ask(self, *command: str | bytes) -> None:
        if self._lane is None:
            raise ConnectionError("not connected")
        (reply,) = await self._lane.ask([command])
        if isinstance(reply, Exception):
            raise reply

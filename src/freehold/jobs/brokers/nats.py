"""Wake-ups by core NATS. JetStream would keep them for those who are away, who look at the rows when they are back."""

from __future__ import annotations

from nats.aio.client import Client
from nats.aio.msg import Msg

from freehold.jobs.waking import Heard

_SECONDS = 5


class NatsBroker:
    """See `Broker`."""

    def __init__(self, url: str, topic: str) -> None:
        self._url = url
        self._subject = topic
        self._client: Client | None = None

    async def connect(self, heard: Heard) -> None:
        """See `Broker`. One who hears is behind by a few messages at most: each stands for all before it."""

        async def take(message: Msg) -> None:
            heard(message.data)

        self._client = Client()
        # Connecting anew is the announcer's matter, for all brokers alike.
        await self._client.connect(self._url, allow_reconnect=False, connect_timeout=_SECONDS, error_cb=_silent)
        await self._client.subscribe(self._subject, cb=take, pending_msgs_limit=16)
        await self._client.flush(_SECONDS)

    async def send(self, message: bytes) -> None:
        """See `Broker`."""
        await self._open.publish(self._subject, message)
        await self.check()

    async def check(self) -> None:
        """See `Broker`."""
        await self._open.flush(_SECONDS)

    async def close(self) -> None:
        """See `Broker`."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _open(self) -> Client:
        if self._client is None:
            raise ConnectionError("not connected")
        return self._client


async def _silent(error: Exception) -> None:
    """The client's own log of what the next call raises anyway."""

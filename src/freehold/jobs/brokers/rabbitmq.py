"""Wake-ups by RabbitMQ: a fan-out exchange, and for each process a queue that holds one message and ends with it."""

from __future__ import annotations

from aio_pika import Connection, Message
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, ExchangeType
from aio_pika.connection import make_url
from pamqp.common import FieldTable

from freehold.jobs.waking import Heard

_SECONDS = 5


class RabbitBroker:
    """See `Broker`."""

    def __init__(self, url: str, topic: str) -> None:
        self._url = url
        self._topic = topic
        self._connection: Connection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def connect(self, heard: Heard) -> None:
        """See `Broker`."""
        # Not `connect_robust`: connecting anew is the announcer's matter, for all brokers alike. Not `connect`: what it cannot
        # connect it leaves to the garbage collector, where the client closes it by a task that needs a running loop.
        self._connection = Connection(make_url(self._url))
        try:
            await self._open(self._connection, heard)
        except BaseException:
            await self.close()
            raise

    async def _open(self, connection: Connection, heard: Heard) -> None:
        async def take(message: AbstractIncomingMessage) -> None:
            heard(message.body)

        await connection.connect(timeout=_SECONDS)
        self._channel = await connection.channel(publisher_confirms=True)
        self._exchange = await self._channel.declare_exchange(self._topic, ExchangeType.FANOUT, auto_delete=True)
        # One message says as much as many.
        limit: FieldTable = {"x-max-length": 1, "x-overflow": "drop-head"}
        queue = await self._channel.declare_queue(exclusive=True, auto_delete=True, arguments=limit)
        await queue.bind(self._exchange)
        await queue.consume(take, no_ack=True)

    async def send(self, message: bytes) -> None:
        """See `Broker`."""
        if self._exchange is None:
            raise ConnectionError("not connected")
        await self._exchange.publish(Message(message), routing_key="", timeout=_SECONDS)

    async def check(self) -> None:
        """See `Broker`."""
        if self._channel is None:
            raise ConnectionError("not connected")
        await self._channel.declare_exchange(self._topic, passive=True, timeout=_SECONDS)

    async def close(self) -> None:
        """See `Broker`."""
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is None:
            return
        try:
            await connection.close()
        finally:
            # One whose broker is gone counts as open after that, and would be closed again by the collector, which may find
            # no running loop for it. Its transport is let go by now: this waits for nothing.
            if not connection.is_closed:
                await connection.close()

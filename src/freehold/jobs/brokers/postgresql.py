"""Wake-ups by LISTEN and NOTIFY, for those who have PostgreSQL and no broker.

On a connection of its own, after the commit: a NOTIFY inside the transaction would have all commits queue for one lock.
The address must lead to the server itself; a pooler in transaction mode does not carry LISTEN.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from freehold.jobs.waking import Heard

_SECONDS = 5


class PostgresBroker:
    """See `Broker`."""

    def __init__(self, url: str, topic: str) -> None:
        self._url = url
        self._channel = topic
        self._connection: Any = None

    async def connect(self, heard: Heard) -> None:
        """See `Broker`."""

        def take(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
            heard(payload.encode())

        self._connection = await asyncpg.connect(self._url, timeout=_SECONDS, command_timeout=_SECONDS)
        await self._connection.add_listener(self._channel, take)

    async def send(self, message: bytes) -> None:
        """See `Broker`."""
        await self._open.execute("SELECT pg_notify($1, $2)", self._channel, message.decode())

    async def check(self) -> None:
        """See `Broker`."""
        await self._open.execute("SELECT 1")

    async def close(self) -> None:
        """See `Broker`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(timeout=1)

    @property
    def _open(self) -> Any:
        if self._connection is None:
            raise ConnectionError("not connected")
        return self._connection

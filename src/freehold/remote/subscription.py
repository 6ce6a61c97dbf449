"""Listening to channels: over a connection of its own, made anew whenever it is lost."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

QUIET_SECONDS = 2.0  # so long without a word it is asked whether it is still there
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0


class Subscription:
    """Calls back for each message. What is sent while nobody listens is not repeated: `gap` tells of that."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[AbstractConnection]],
        channels: Sequence[str],
        *,
        told: Callable[[str, bytes], None],
        gap: Callable[[], None] | None,
        ended: Callable[[Subscription], None],
    ) -> None:
        self._connect = connect
        self._channels = channels
        self._told = told
        self._gap = gap
        self._ended: Callable[[Subscription], None] | None = ended
        self._listening = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"redis subscription {' '.join(channels)}")

    async def listens(self) -> None:
        """Return once messages arrive."""
        await self._listening.wait()

    async def close(self) -> None:
        """Listen no more."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            connection: AbstractConnection | None = None
            try:
                connection = await self._connect()
                await connection.send_command("SUBSCRIBE", *self._channels, check_health=False)
                async with asyncio.timeout(QUIET_SECONDS):
                    for _ in self._channels:
                        await connection.read_response()
                pause = _FIRST_PAUSE_SECONDS
                self._listening.set()
                if self._gap is not None:
                    self._gap()
                await self._listen(connection)
            except Exception:  # noqa: BLE001, S110  # whatever it was, it is tried again; the server itself says that it is away
                pass
            finally:
                self._listening.clear()
                if connection is not None:
                    with suppress(Exception):
                        await connection.disconnect(nowait=True)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 (spreads the clients, guards nothing)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _listen(self, connection: AbstractConnection) -> None:
        """Until the connection is lost, or says nothing for twice the quiet time though it was asked."""
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    said = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
            except TimeoutError:
                await connection.send_command("PING", check_health=False)
                async with asyncio.timeout(QUIET_SECONDS):
                    said = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
            if said[0] == b"message":
                self._told(said[1].decode(), said[2])

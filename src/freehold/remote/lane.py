"""One connection for everybody: what is asked in one turn of the loop leaves in one write, and replies come in order.

Nobody waits longer than the time that an answer may take. What comes later is read and thrown away, so that the next
reply is the next one's; a server that stays silent loses the connection.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

Command: TypeAlias = Sequence[str | bytes | int | float]
Reply: TypeAlias = Any
"""bytes, int, None, a list of them, or the error that the server answered one command with."""

SILENT_AFTER = 3  # asks in a row without an answer in time
# The time is told in ticks: where this process is held up they come late, and the server gets as many turns of the loop.
_TICKS = 6


class Away(Exception):
    """Redis does not answer, or not in time. What was asked may have been done all the same."""


class Refused(Away):
    """Redis answers with an error: it is out of memory, or loading, or a script is wrong."""


@dataclass(slots=True)
class _Ask:
    packed: bytes
    missing: int
    answered: asyncio.Future[list[Reply]]
    late_at: int
    replies: list[Reply] = field(default_factory=list)


class Lane:
    """Commands over an open connection, until it is lost.

    seconds: an answer may take no longer. lost: called once, with the reason, when the connection is of no use any more.
    """

    def __init__(self, connection: AbstractConnection, *, seconds: float, lost: Callable[[Exception], None]) -> None:
        from hiredis import pack_command  # noqa: PLC0415 (an extra)

        self._pack: Callable[[Any], bytes] = pack_command
        self._connection = connection
        self._seconds = seconds
        self._lost: Callable[[Exception], None] | None = lost
        self._waiting: list[_Ask] = []
        self._sent: deque[_Ask] = deque()
        self._wake = asyncio.Event()
        self._ticks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._late = 0
        self._tasks = [
            asyncio.create_task(self._guarded(work()), name=f"redis {work.__name__}")
            for work in (self._write, self._read)
        ]

    @property
    def is_lost(self) -> bool:
        """Whether it is of no use any more."""
        return self._lost is None

    def ask(self, commands: Sequence[Command]) -> asyncio.Future[list[Reply]]:
        """Send them side by side, with nothing of others in between. The future raises Away."""
        loop = asyncio.get_running_loop()
        packed = b"".join([self._pack(tuple(command)) for command in commands])
        ask = _Ask(packed, len(commands), loop.create_future(), self._ticks + _TICKS)
        if self.is_lost:
            ask.answered.set_exception(Away("the connection was lost"))
            return ask.answered
        self._waiting.append(ask)
        self._wake.set()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds / _TICKS, self._tick)
        return ask.answered

    async def close(self, reason: Exception | None = None) -> None:
        """Give the connection back; whoever waits gets Away."""
        self._give_up(reason or Away("the connection was closed"), tell=False)
        for task in self._tasks:
            task.cancel()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:  # whoever is cut short here gives the connection back all the same
            with suppress(Exception):
                await self._connection.disconnect(nowait=True)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._waiting = self._waiting, []
            self._sent.extend(batch)
            await self._connection.send_packed_command([ask.packed for ask in batch], check_health=False)

    async def _read(self) -> None:
        from redis.exceptions import ResponseError  # noqa: PLC0415 (an extra)

        while True:
            try:
                reply = await self._connection.read_response(timeout=math.inf, disconnect_on_error=False)
            except ResponseError as error:
                reply = error
            ask = self._sent[0]
            ask.replies.append(reply)
            ask.missing -= 1
            if not ask.missing:
                self._sent.popleft()
                if not ask.answered.done():
                    self._late = 0
                    ask.answered.set_result(ask.replies)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever ends one of the two ends the connection
            self._give_up(error)

    def _tick(self) -> None:
        self._timer = None
        self._ticks += 1
        unanswered = [ask for ask in (*self._sent, *self._waiting) if not ask.answered.done()]
        for ask in unanswered:
            if ask.late_at <= self._ticks:
                self._late += 1
                ask.answered.set_exception(Away(f"no answer within {self._seconds * 1000:.0f} ms"))
        if self._late >= SILENT_AFTER:
            self._give_up(Away(f"{self._late} questions in a row had no answer within {self._seconds * 1000:.0f} ms"))
        elif unanswered:
            self._timer = asyncio.get_running_loop().call_later(self._seconds / _TICKS, self._tick)

    def _give_up(self, reason: Exception, *, tell: bool = True) -> None:
        lost, self._lost = self._lost, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for ask in (*self._sent, *self._waiting):
            if not ask.answered.done():
                ask.answered.set_exception(Away(str(reason)))
        self._sent.clear()
        self._waiting.clear()
        if tell and lost is not None:
            lost(reason)

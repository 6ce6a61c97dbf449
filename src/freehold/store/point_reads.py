"""Reads of single rows by key that are asked for at the same time share a statement.

A read may join only a statement that was not sent yet: one that is on its way may be older than the commit that the
reader was told of. A statement belongs to nobody: a reader that leaves gives up its answer and cancels nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from freehold.store.lanes import Lanes
from freehold.store.pairs import Pairs, paired
from freehold.store.prepared import Prepared
from freehold.store.questions import Answer
from freehold.store.shared_reads import SharedReads
from freehold.store.tasks import Tasks

MOST_PAIRS: Final = 64
AT_ONCE: Final = 2
"""Statements of one plan on their way: one is answered while the next is gathered."""
_ATTEMPTS: Final = 3
"""While connections are lost. After a statement that had all of them in vain each has one, until one brings rows: readers
then ask by other ways, and ask here again first."""
# What a connection that was lost says, whatever it was doing; anything else is the statement's own fault.
_LOST: Final = ("08", "57P")


class PointReads(SharedReads):
    """The reads of one plan. Settles every answer, whatever happens to a connection."""

    def __init__(self, lanes: Lanes, prepared: Prepared, key: str) -> None:
        super().__init__(lanes, prepared)
        self._tasks = Tasks()
        self._pairs: Pairs | None = paired(prepared.sql, {*prepared.caller, prepared.key[key]})
        self._waiting: deque[tuple[list[Any], Answer]] = deque()
        self._running = 0
        self._is_due = False
        self._attempts = _ATTEMPTS
        self._loop: asyncio.AbstractEventLoop

    @property
    def can_share(self) -> bool:
        """Whether the text of the plan could be read."""
        return self._pairs is not None

    def read(self, values: list[Any]) -> asyncio.Future[Sequence[Sequence[Any]]]:
        """The row (or none), as the driver gives it. The answer raises what went wrong with its statement."""
        answer: asyncio.Future[Sequence[Sequence[Any]]] = asyncio.get_running_loop().create_future()
        self.ask(values, answer)
        return answer

    def ask(self, values: list[Any], answer: Answer) -> None:
        """See `Responder`."""
        if not self._waiting:
            # Those that wait together wait in one loop, and to ask which one it is costs a system call.
            self._loop = asyncio.get_running_loop()
        self._waiting.append((values, answer))
        if not self._is_due and self._running < AT_ONCE:
            self._is_due = True
            self._loop.call_soon(self._send)  # together with what else this round of the loop asks for

    def leave(self, answer: Answer) -> None:
        """See `Responder`. Its statement is that of others, too."""

    def _send(self) -> None:
        self._is_due = False
        while self._waiting and self._running < AT_ONCE:
            batch: list[tuple[list[Any], Answer]] = []
            while self._waiting and len(batch) < MOST_PAIRS:
                asked = self._waiting.popleft()
                if not asked[1].done():
                    batch.append(asked)
            if batch:
                self._running += 1
                self._tasks.start(self._run(batch), self._loop)

    async def _run(self, batch: list[tuple[list[Any], Answer]]) -> None:
        try:
            found = await self._fetch([values for values, _ in batch])
        except BaseException as error:  # also of a driver that raises what it does not document
            self._next()
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(
                        error if isinstance(error, Exception) else ConnectionError("the statement was cut off")
                    )
            if not isinstance(error, Exception):
                raise
            return
        self._next()
        for (_, answer), rows in zip(batch, found, strict=True):
            if not answer.done():
                answer.set_result(rows)

    def _next(self) -> None:
        """What waits goes on its way before anybody makes an answer of what came."""
        self._running -= 1
        self._send()

    async def _fetch(self, values: list[list[Any]]) -> list[Sequence[Sequence[Any]]]:
        left = self._attempts
        while True:
            left -= 1
            try:
                found = await (self._one(values[0]) if len(values) == 1 else self._many(values))
            except Exception as error:
                if not is_lost(error):
                    raise
                if left <= 0:
                    self._attempts = 1
                    raise
            else:
                self._attempts = _ATTEMPTS
                return found

    async def _one(self, values: list[Any]) -> list[Sequence[Sequence[Any]]]:
        rows, oids = await self._lanes.fetch(self._prepared.sql, values)
        self._prepared.describe(oids)
        return [rows]

    async def _many(self, values: list[list[Any]]) -> list[Sequence[Sequence[Any]]]:
        assert self._pairs is not None, "asked for by nobody who looked at can_share"
        rows, oids = await self._lanes.fetch(self._pairs.sql, self._pairs.arguments(values))
        self._prepared.describe(oids[:-1])
        found: list[Sequence[Sequence[Any]]] = [()] * len(values)
        for row in rows:
            found[row[-1] - 1] = [row[:-1]]
        return found


def is_lost(error: Exception) -> bool:
    """Whether a statement failed because its connection did, so that another may answer it."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_LOST)
    return isinstance(error, OSError) or type(error).__name__ in {"InternalClientError", "InterfaceError"}

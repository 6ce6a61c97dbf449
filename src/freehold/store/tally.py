"""Counting what happens too often to be written each time: in memory, and at intervals into the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from freehold.errors import OutcomeUnknown
from freehold.resource.principal import system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

K = TypeVar("K", bound=Hashable)
_KEPT = 10  # times as many as make it write: for a database that is away
logger = structlog.get_logger("freehold.store.tally")


class Tally(Generic[K]):
    """Counts by key, in this process; each counts its own, and the database adds them up.

    write: adds counts to the database, in a short unit of system scope that holds nothing else. Rows that several
    processes add to are written in one order, or the two wait for each other. every: between two writes. most:
    keys in memory; when so many have come together it writes earlier.

    A process that is killed loses what it has counted since the last write; one that ends writes first. What could
    not be written is kept for the next time, up to ten times `most` keys, past which new ones are `dropped`; where a connection is lost during the commit nobody knows, and the
    counts are dropped: none counts twice.
    """

    def __init__(
        self,
        write: Callable[[Session, Mapping[K, int]], Awaitable[None]],
        *,
        reason: str,
        every: timedelta = timedelta(seconds=5),
        most: int = 10_000,
    ) -> None:
        self._write = write
        self._reason = reason
        self._every = every
        self._most = most
        self._counts: Counter[K] = Counter()
        self.dropped = 0
        self._is_full = asyncio.Event()

    def add(self, key: K, count: int = 1) -> None:
        """Count. No I/O."""
        if len(self._counts) >= self._most * _KEPT and key not in self._counts:
            self.dropped += count
            return
        self._counts[key] += count
        if len(self._counts) >= self._most:
            self._is_full.set()

    async def flush(self, database: Database) -> None:
        """Write what has been counted. Raises what the write raises, after taking the counts back."""
        taken, self._counts = self._counts, Counter()
        if not taken:
            return
        try:
            async with database.writing(system(self._reason)) as unit:
                unit.after_commit(taken.clear)  # a cancellation is raised after the commit that it came upon
                await self._write(unit.session, dict(taken))
        except OutcomeUnknown:
            raise
        except BaseException:
            self._counts.update(taken)
            raise

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Write at intervals for the length of the block, and at its end."""
        self._is_full = asyncio.Event()  # of this loop: an application may run in several, one after the other
        task = asyncio.create_task(self._go_on(database))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._try(database)

    async def _go_on(self, database: Database) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_full.wait(), self._every.total_seconds())
            self._is_full.clear()  # what cannot be written now waits for the next time, however much it is
            await self._try(database)

    async def _try(self, database: Database) -> None:
        try:
            await self.flush(database)
        except Exception:
            logger.exception("tally_not_written", counting=self._reason, keys=len(self._counts), dropped=self.dropped)

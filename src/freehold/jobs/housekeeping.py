"""What a runner does beside the jobs: it measures, seals the audit trail, and clears away what was done long ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from freehold.jobs import looking, queue, tracks
from freehold.jobs.gauges import JobMetrics
from freehold.resource.principal import system
from freehold.store import audit_sealing

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.outbox import Outbox

_REASON = "job housekeeping"


@dataclass(frozen=True)
class Housekeeping:
    """The duties of `Jobs` that run no job; its docstring says what the fields are."""

    database: Database
    outbox: Outbox | None
    keep_done: timedelta
    audit_key: bytes
    metrics: JobMetrics | None

    async def measure(self) -> None:
        """Have the metrics say how long the oldest job has been waiting, and how many wait for a person."""
        if self.metrics is not None:
            async with self.database.reading(system(_REASON)) as session:
                oldest = (await looking.look(session)).longest_wait
                self.metrics.measured(oldest=oldest, dead=await queue.count_dead(session))

    async def seal(self) -> None:
        """Chain the audit records that were written since."""
        await audit_sealing.seal_pending(self.database, key=self.audit_key)

    async def sweep(self) -> None:
        """Delete done jobs, their tracks and delivered events once they are old."""
        await self._clear(queue.clear_done)
        await self._clear(tracks.clear)
        while self.outbox is not None and await self.outbox.clear_delivered(older_than=self.keep_done):
            pass

    async def _clear(self, some: Callable[..., Awaitable[int]]) -> None:
        """Delete in short units, until nothing is left to delete."""
        cleared = 1
        while cleared:
            async with self.database.writing(system(_REASON)) as unit:
                cleared = await some(unit.session, older_than=self.keep_done)

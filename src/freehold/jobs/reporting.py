"""What a running job says of itself, written down beside its work: at most twice a second, in short units of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from freehold.jobs import tracks
from freehold.jobs.leases import Claim
from freehold.jobs.tracks import Progress
from freehold.resource.principal import system

if TYPE_CHECKING:
    from freehold.store.database import Database

_log = structlog.get_logger("freehold.jobs")

_PAUSE_SECONDS = 0.5  # between two writes
_LOOK_SECONDS = 1.0  # how soon a cancellation is seen by a job that says nothing
_STOP_SECONDS = 2.0


class JobCancelled(Exception):
    """The cancellation of this job was asked for: let it pass, and the job ends as cancelled."""


class Reporter:
    """The voice of one try. durable: whether progress may be written while it runs.

    It may not where the try itself holds the only writer (SQLite, a job inside its transaction): then the process
    that runs it, the only one there is, shows what it knows.
    """

    def __init__(self, database: Database, claim: Claim, *, durable: bool) -> None:
        self._database = database
        self._claim = claim
        self._durable = durable
        self._said = asyncio.Event()
        self._stopping = asyncio.Event()
        self._turn = asyncio.Lock()
        self.latest: Progress | None = None
        self.cancellation_requested = False

    def say(self, progress: Progress) -> None:
        """Keep it, to be written soon. Raises JobCancelled when that was asked for."""
        self.latest = progress
        self._said.set()
        self.heed()

    def heed(self) -> None:
        """Raise JobCancelled when that was asked for."""
        if self.cancellation_requested:
            raise JobCancelled

    async def recall(self) -> None:
        """Take up what an earlier try said, and what was asked meanwhile. Raises JobCancelled."""
        async with self._database.reading(system("job progress")) as session:
            self.latest = await tracks.progress_of(session, self._claim.id)
            self.cancellation_requested = await tracks.is_cancellation_requested(session, self._claim.id)
        self.heed()

    @asynccontextmanager
    async def stepping(self, step: Progress | None) -> AsyncIterator[None]:
        """Around a unit that writes `step` down with its rows: it is said once the unit has committed, never before.

        Nothing else is written meanwhile: an older word that came later would have the next try do the step again.
        """
        async with self._turn:
            yield
            if step is not None:
                self.latest = step

    @asynccontextmanager
    async def speaking(self) -> AsyncIterator[None]:
        """Write down what is said inside the block; nothing is written any more when it is left."""
        self._stopping.clear()
        writer = asyncio.create_task(self._write_on())
        try:
            yield
        finally:
            self._stopping.set()
            self._said.set()
            _, left = await asyncio.wait([writer], timeout=_STOP_SECONDS)
            for task in left:
                task.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _write_on(self) -> None:
        while not self._stopping.is_set():
            await _wait(self._said, _LOOK_SECONDS)
            if self._stopping.is_set():
                return
            said = self._said.is_set()
            self._said.clear()
            try:
                await self._write() if said and self._durable else await self._look()
            except Exception as error:  # noqa: BLE001  # the database is away: the next look tells more
                _log.warning("job_progress_not_written", job=self._claim.name, error=type(error).__name__)
            await _wait(self._stopping, _PAUSE_SECONDS)

    async def _write(self) -> None:
        async with self._turn, self._database.writing(system("job progress")) as unit:
            asked = await tracks.report(unit.session, self._claim, self.spoken())
        self.cancellation_requested = bool(asked)

    async def _look(self) -> None:
        async with self._database.reading(system("job progress")) as session:
            self.cancellation_requested = await tracks.is_cancellation_requested(session, self._claim.id)

    def spoken(self) -> dict[str, object]:
        """The last word as a value of the track."""
        return {} if self.latest is None else {"progress": self.latest.model_dump()}


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

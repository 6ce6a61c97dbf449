"""What a running job may know about itself, and say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from freehold.jobs import leases, tracks
from freehold.jobs.leases import Claim
from freehold.jobs.reporting import Reporter
from freehold.jobs.tracks import Progress
from freehold.resource.principal import Principal

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

T = TypeVar("T")


class LeaseLost(Exception):
    """Another worker holds the job by now: roll back."""


class GiveUp(Exception):
    """Raised by a job whose failure no further try would mend: it goes to the dead letters at once.

    Its text is shown to operators: no personal data in it.
    """


@dataclass(frozen=True, slots=True)
class JobContext:
    """The try that is running.

    id: the same at every try of one job: the key to give to the outside world with an effect that may come twice.
    attempt: from 1. request_id: of the request that enqueued it.
    """

    id: UUID
    name: str
    attempt: int
    request_id: str | None
    _try: Try = field(repr=False)

    @property
    def reported(self) -> Progress | None:
        """What was said last, by this try or an earlier one: where to go on from."""
        return None if self._try.reporter is None else self._try.reporter.latest

    def progress(self, done: int, total: int | None = None, *, note: str = "") -> None:
        """Say how far the job is; written down at most twice a second. Does nothing in a job that nobody follows.

        Raises JobCancelled when the cancellation was asked for: let it pass.
        """
        if self._try.reporter is not None:
            self._try.reporter.say(Progress(done=done, total=total, note=note[:200]))

    def part(self, kind: type[T]) -> T:
        """A part of the application, by its type (`Database.parts`). Raises LookupError where it has none."""
        found = self._try.database.parts.get(kind)
        if found is None:
            raise LookupError(f"the application that runs this job has no {kind.__name__}")
        part: T = found
        return part

    @asynccontextmanager
    async def writing(
        self, *, done: int | None = None, total: int | None = None, note: str = ""
    ) -> AsyncIterator[Session]:
        """A short unit of its own, for a job declared with `outside=True`, as the job's principal.

        done, total, note: progress that commits with what is written, so that a job that was killed goes on from
        `reported`. It commits only while this worker holds the job: one that was given up for dead changes nothing.
        """
        running = self._try
        if not running.outside:
            raise RuntimeError(
                f"job {self.name!r} has a transaction: write through its own session, or declare outside=True"
            )
        step = None if done is None else Progress(done=done, total=total, note=note[:200])
        async with (
            nullcontext() if running.reporter is None else running.reporter.stepping(step),
            running.database.writing(running.principal, request_id=self.request_id) as unit,
        ):
            yield unit.session
            await unit.session.flush()
            if not await leases.still_held(unit.session, running.claim):
                raise LeaseLost
            if running.reporter is not None and step is not None:
                running.reporter.heed()
                asked = await tracks.report(unit.session, running.claim, {"progress": step.model_dump()})
                running.reporter.cancellation_requested = bool(asked)


@dataclass(frozen=True, slots=True)
class Try:
    """What a running job stands on."""

    database: Database
    claim: Claim
    principal: Principal
    outside: bool
    reporter: Reporter | None


_running: ContextVar[JobContext | None] = ContextVar("freehold_running_job", default=None)


def current_job() -> JobContext | None:
    """The job that this code runs in; None outside of one."""
    return _running.get()


def running() -> JobContext:
    """The job that this code runs in. Raises LookupError outside of one."""
    found = _running.get()
    if found is None:
        raise LookupError("no job is running here: this code belongs in a function declared with @job")
    return found


def progress(done: int, total: int | None = None, *, note: str = "") -> None:
    """Say how far the running job is (`JobContext.progress`); outside of one it does nothing."""
    found = _running.get()
    if found is not None:
        found.progress(done, total, note=note)


def enter(current: Try) -> None:
    """Set the context of this task, which runs this one job."""
    claim = current.claim
    _running.set(JobContext(claim.id, claim.name, claim.attempts, claim.request_id, current))

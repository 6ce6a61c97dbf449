"""Running one claimed job: its effect and the mark that it is done are one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError

from freehold.errors import Problem
from freehold.jobs import carriage, context, leases, tracks
from freehold.jobs.context import GiveUp, LeaseLost, Try
from freehold.jobs.declaration import Job
from freehold.jobs.leases import Claim
from freehold.jobs.reporting import JobCancelled, Reporter
from freehold.resource.principal import system
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.store.unit import Unit

_log = structlog.get_logger("freehold.jobs")

# A failure that cannot be written down at once (the database is away) is tried again for about as long as a lease
# lasts; after that the lease runs out and tells the others.
_PERSISTENCE_SECONDS = (0.1, 0.5, 2, 5, 10, 20, 20)


class Outcome(StrEnum):
    """How one try ended."""

    DONE = "done"
    RETRY = "retry"
    DEAD = "dead"
    LOST = "lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Execution:
    """Runs claimed jobs against one database."""

    database: Database
    jobs: Mapping[str, Job[Any]]
    principals: carriage.Principals
    speaking: dict[UUID, Reporter] = field(default_factory=dict)

    async def run(self, claim: Claim) -> Outcome:
        """One try. Never raises but for cancellation, after which the job is still to be given back."""
        try:
            return await self._attempt(claim)
        except JobCancelled:
            return await self._cancelled(claim)
        except LeaseLost:
            _log.warning("job_lease_lost", **_named(claim))
            return Outcome.LOST
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # raised by the function itself: a failure like any other
                return await self._failed(claim, error)
            raise
        except Exception as error:  # noqa: BLE001  # whatever a job raises is a failed try
            return await self._failed(claim, error)
        finally:
            self.speaking.pop(claim.id, None)

    async def _attempt(self, claim: Claim) -> Outcome:
        job = self.jobs[claim.name]
        principal = await carriage.judge(claim.principal, self.principals)
        if principal is None:
            return await self._record(claim, "principal gone", pause=None)
        try:
            arguments = job.payload.load(claim.payload)
        except ValidationError as error:
            # The function has changed since: a further try would be refused as well.
            return await self._record(claim, f"payload refused: {error.error_count()} errors", pause=None)
        reporter = await self._reporter(job, claim)
        current = context.Try(self.database, claim, principal, job.outside, reporter)
        context.enter(current)
        await (self._outside if job.outside else self._inside)(job, current, arguments)
        return Outcome.DONE

    async def _reporter(self, job: Job[Any], claim: Claim) -> Reporter | None:
        """The voice of a tracked job. Raises JobCancelled when that was asked for before this try."""
        if not job.tracked:
            return None
        reporter = Reporter(self.database, claim, durable=job.outside or self.database.dialect_name != "sqlite")
        self.speaking[claim.id] = reporter
        await reporter.recall()
        return reporter

    async def _inside(self, job: Job[Any], current: Try, arguments: Mapping[str, Any]) -> None:
        async def work(unit: Unit) -> None:
            result = await _call(job, current, unit.session, arguments)
            await _finish(unit, current, result)

        await self.database.run(current.principal, work, request_id=current.claim.request_id)

    async def _outside(self, job: Job[Any], current: Try, arguments: Mapping[str, Any]) -> None:
        async with self.database.reading(current.principal) as session:
            result = await _call(job, current, session, arguments)
        async with self.database.writing(system("job outcome")) as unit:
            await _finish(unit, current, result)

    async def _cancelled(self, claim: Claim) -> Outcome:
        """End a job that has heeded its cancellation; its own unit is rolled back by now."""
        async with self.database.writing(system("job outcome")) as unit:
            ended = {"cancelled_at": instant(self.database.dialect_name)}
            if await tracks.report(unit.session, claim, ended) is None:
                return Outcome.LOST
            await leases.finish(unit.session, claim)
        return Outcome.CANCELLED

    async def _failed(self, claim: Claim, error: BaseException) -> Outcome:
        job = self.jobs[claim.name]
        failures = claim.failures + 1
        is_over = failures > job.retries or isinstance(error, GiveUp)
        pause = None if is_over else job.backoff.pause(failures)
        report = _log.warning if pause is not None else _log.error
        report("job_failed", error=describe(error), final=pause is None, **_named(claim))
        return await self._record(claim, describe(error), pause=pause, problem=error)

    async def _record(
        self, claim: Claim, error: str, *, pause: timedelta | None, problem: BaseException | None = None
    ) -> Outcome:
        """Write the failure in a unit of its own; the one that failed is rolled back."""
        for seconds in (*_PERSISTENCE_SECONDS, None):
            try:
                async with self.database.writing(system("job outcome")) as unit:
                    if self.jobs[claim.name].tracked:
                        await tracks.report(unit.session, claim, {"failure": _told(problem)})
                    recorded = await leases.fail(unit.session, claim, error=error, pause=pause)
                break
            except IntegrityError:
                continue  # its key was taken by a job that was enqueued this moment: the next look sees that one
            except Exception as failure:  # noqa: BLE001  # the database is away: wait for it
                if seconds is None:
                    _log.error("job_failure_not_recorded", error=describe(failure), **_named(claim))
                    return Outcome.LOST
                await asyncio.sleep(seconds)
        else:
            return Outcome.LOST
        if not recorded:
            return Outcome.LOST
        return Outcome.DEAD if pause is None else Outcome.RETRY

    async def give_back(self, claim: Claim) -> None:
        """Return a job whose task has ended by cancellation; nothing happens if it was done by then."""
        try:
            async with self.database.writing(system("job outcome")) as unit:
                await leases.give_back(unit.session, claim)
        except Exception as failure:  # noqa: BLE001  # nothing more can be done: the lease runs out
            _log.warning("job_not_given_back", error=describe(failure), **_named(claim))


async def _call(job: Job[Any], current: Try, session: Session, arguments: Mapping[str, Any]) -> Any:
    voice = nullcontext() if current.reporter is None else current.reporter.speaking()
    async with voice, asyncio.timeout(job.timeout.total_seconds()):
        return await job.function(session, **arguments)


async def _finish(unit: Unit, current: Try, result: Any) -> None:
    if current.reporter is not None:
        said = current.reporter.spoken() | {"result": tracks.checked_result(result), "failure": None}
        await tracks.report(unit.session, current.claim, said)
    if not await leases.finish(unit.session, current.claim):
        raise LeaseLost


def _told(error: BaseException | None) -> dict[str, str] | None:
    """A failure for the client: a problem was made to be seen, anything else was not."""
    if not isinstance(error, Problem):
        return None
    return {"code": error.problem_code, "detail": error.detail or error.title}


def describe(error: BaseException) -> str:
    """A failure for the dead-letter list: SQL errors without statement and values, which may be personal."""
    if isinstance(error, DBAPIError):
        return f"{type(error).__name__}: {type(error.orig).__name__}"
    if isinstance(error, Problem):
        return f"{type(error).__name__}: {error.problem_code}"
    if isinstance(error, TimeoutError):
        return "TimeoutError: the try took too long"
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]


def _named(claim: Claim) -> dict[str, Any]:
    return {"job": claim.name, "job_id": str(claim.id), "attempt": claim.attempts, "request_id": claim.request_id}

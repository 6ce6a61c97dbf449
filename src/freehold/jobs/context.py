"""What a running job may know about itself."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from freehold.jobs.queue import Claim


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


_running: ContextVar[JobContext | None] = ContextVar("freehold_running_job", default=None)


def current_job() -> JobContext | None:
    """The job that this code runs in; None outside of one."""
    return _running.get()


def enter(claim: Claim) -> None:
    """Set the context of this task, which runs this one job."""
    _running.set(JobContext(id=claim.id, name=claim.name, attempt=claim.attempts, request_id=claim.request_id))

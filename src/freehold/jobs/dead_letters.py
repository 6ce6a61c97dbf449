"""Jobs that were given up: look at them, try them again, throw them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, select, update

from freehold.jobs import queue
from freehold.jobs.tables import JOBS, State, in_state
from freehold.jobs.waking import wake_after_commit
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that waits for a person. The payload is left out: it may hold secrets."""

    id: UUID
    name: str
    error: str
    attempts: int
    enqueued_at: datetime
    died_at: datetime


async def dead_letters(session: Session, *, limit: int = 100, after: UUID | None = None) -> Sequence[DeadLetter]:
    """The dead jobs in the order in which they were enqueued. after: the last id of the page before."""
    columns = (JOBS.c.id, JOBS.c.name, JOBS.c.error, JOBS.c.attempts, JOBS.c.created_at, JOBS.c.finished_at)
    page = select(*columns).where(in_state(State.DEAD)).order_by(JOBS.c.id).limit(limit)
    if after is not None:
        page = page.where(JOBS.c.id > after)
    return [DeadLetter(*row) for row in await session.execute(page)]


async def retry_dead(session: Session, job_id: UUID) -> bool:
    """Let a dead job start anew, with all its tries. False: there is no dead job with this id."""
    statement = (
        update(JOBS)
        .where(JOBS.c.id == job_id, in_state(State.DEAD))
        .values(
            state=State.READY,
            run_at=instant(queue.dialect_of(session)),
            attempts=0,
            failures=0,
            finished_at=None,
            unique_key=queue.free_key(),
        )
        .returning(JOBS.c.id)
    )
    found = (await session.execute(statement)).first() is not None
    if found and session.unit is not None:
        wake_after_commit(session.unit)
    return found


async def discard_dead(session: Session, job_id: UUID) -> bool:
    """Delete a dead job. False: there is no dead job with this id."""
    statement = delete(JOBS).where(JOBS.c.id == job_id, in_state(State.DEAD)).returning(JOBS.c.id)
    return (await session.execute(statement)).first() is not None

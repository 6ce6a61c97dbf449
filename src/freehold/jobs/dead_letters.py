"""Jobs that were given up: look at them, try them again, throw them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, select, update

from freehold.jobs import order, queue
from freehold.jobs.tables import JOBS, State, in_state
from freehold.store.instant import instant
from freehold.store.waking import announce_after_commit

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
    """Let a dead job start anew, with all its tries, at the end of its order. False: there is no dead job with this id."""
    dead = JOBS.c.id == job_id, in_state(State.DEAD)
    row = (await session.execute(select(JOBS.c.name, JOBS.c.order_key).where(*dead).with_for_update())).one_or_none()
    if row is None:
        return False
    number, state = None, State.READY
    if row.order_key is not None:
        number, state = await order.join(session, row.name, row.order_key)
    values = {"state": state, "order_number": number, "attempts": 0, "failures": 0, "finished_at": None}
    now = instant(queue.dialect_of(session))
    await session.execute(update(JOBS).where(*dead).values(**values, run_at=now, unique_key=queue.free_key()))
    if session.unit is not None:
        announce_after_commit(session.unit)
    return True


async def discard_dead(session: Session, job_id: UUID) -> bool:
    """Delete a dead job. False: there is no dead job with this id."""
    statement = delete(JOBS).where(JOBS.c.id == job_id, in_state(State.DEAD)).returning(JOBS.c.id)
    return (await session.execute(statement)).first() is not None

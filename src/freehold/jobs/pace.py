"""The rate of a queue, kept in a row: exact over any number of processes (GCRA)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from freehold.jobs.queues import Queue
from freehold.jobs.tables import QUEUES
from freehold.store.instant import instant
from freehold.store.upserts import insert_into

if TYPE_CHECKING:
    from freehold.store.session import Session

_BUSY = timedelta(milliseconds=20)
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Room:
    """How many jobs of a queue may begin now. wait: how long until the first may; negative where there is room."""

    jobs: int
    wait: timedelta
    free_at: datetime | None = None


async def room(session: Session, queue: Queue) -> Room:
    """Ask the rate, and hold it until the transaction ends. Nobody waits: while another process holds it there is none."""
    dialect = session.get_bind().dialect.name
    now = instant(dialect)
    new = (
        insert_into(session, QUEUES)
        .values(name=queue.name, free_at=now)
        .on_conflict_do_nothing(index_elements=["name"])
    )
    found = select(QUEUES.c.free_at, now.label("now")).where(QUEUES.c.name == queue.name)
    found = found.with_for_update(skip_locked=True, of=QUEUES)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        await session.execute(new)
        row = (await session.execute(found)).one_or_none()
    if row is None:
        return Room(0, _BUSY)
    full = queue.interval * queue.burst
    # A time further ahead was written by a clock that has been put back since (F06). One that is a little ahead is none:
    # another process may have asked between our `now` and the lock.
    is_wrong = row.free_at > row.now + full + _SLACK
    free_at = row.now if is_wrong else max(row.free_at, row.now)
    jobs = max(0, int((row.now + full - free_at) / queue.interval))
    return Room(jobs, free_at + queue.interval - full - row.now, free_at)


async def spend(session: Session, queue: Queue, held: Room, jobs: int) -> None:
    """Note that so many of the jobs that there was room for have begun."""
    if jobs and held.free_at is not None:
        free_at = held.free_at + queue.interval * jobs
        await session.execute(update(QUEUES).where(QUEUES.c.name == queue.name).values(free_at=free_at))

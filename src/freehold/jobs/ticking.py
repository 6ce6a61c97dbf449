"""Firing schedules: the tick is claimed by compare-and-set in the transaction that writes the job row."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from freehold.jobs import queue
from freehold.jobs.declaration import Job
from freehold.jobs.schedules import Schedule
from freehold.jobs.tables import SCHEDULES
from freehold.resource.principal import system
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

Planned = tuple[Schedule, Job[Any]]
_REASON = "scheduler"


async def fire_due(database: Database, planned: Collection[Planned]) -> int:
    """Fire every schedule whose tick has come, and plan those that are new or were changed; how many fired."""
    if not planned:
        return 0
    async with database.reading(system(_REASON)) as session:
        now = (await session.execute(select(instant(queue.dialect_of(session))))).scalar_one()
        rows = {row.name: row for row in await session.execute(select(SCHEDULES))}
    fired = 0
    for schedule, job in planned:
        row = rows.get(schedule.name)
        if row is None or _is_stale(schedule, row, now):
            await _plan(database, schedule, now, row)
        elif row.next_at <= now:
            fired += await _fire(database, schedule, job, row, now)
    return fired


def _is_stale(schedule: Schedule, row: Row[Any], now: datetime) -> bool:
    # A tick further away than the next one: the clock was put back. A daily one waits for it (it has run today).
    return row.spec != schedule.spec or (schedule.every is not None and row.next_at > schedule.after(now))


async def _plan(database: Database, schedule: Schedule, now: datetime, row: Row[Any] | None) -> None:
    values = {"spec": schedule.spec, "next_at": schedule.after(now)}
    try:
        async with database.writing(system(_REASON)) as unit:
            if row is None:
                await unit.session.execute(insert(SCHEDULES).values(name=schedule.name, **values))
            else:
                await unit.session.execute(update(SCHEDULES).where(*_unchanged(row)).values(**values))
    except IntegrityError:
        return  # another scheduler has planned it


async def _fire(database: Database, schedule: Schedule, job: Job[Any], row: Row[Any], now: datetime) -> bool:
    async with database.writing(system(f"schedule {schedule.name}")) as unit:
        if not await _advance(unit.session, schedule, row, now):
            return False
        if not schedule.is_run(row.next_at, now):
            return False
        await job.enqueue(unit.session, **schedule.payload)
        return True


async def _advance(session: Session, schedule: Schedule, row: Row[Any], now: datetime) -> bool:
    """Move to the tick after now, unless another scheduler has."""
    moved = (
        update(SCHEDULES)
        .where(*_unchanged(row))
        .values(next_at=schedule.after(now), last_at=row.next_at)
        .returning(SCHEDULES.c.name)
    )
    return (await session.execute(moved)).first() is not None


def _unchanged(row: Row[Any]) -> tuple[Any, ...]:
    return (SCHEDULES.c.name == row.name, SCHEDULES.c.next_at == row.next_at, SCHEDULES.c.spec == row.spec)

"""What there is to do, in one statement: a process that has nothing to do asks this once a second, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, func, select

from freehold.jobs.leases import is_abandoned
from freehold.jobs.queue import dialect_of
from freehold.jobs.tables import JOBS, SCHEDULES, State, in_state
from freehold.store.audit_sealing import is_unsealed
from freehold.store.instant import standing_instant
from freehold.store.outbox import is_waiting

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to do. since: for each name with a job that is due, when the first of them was.

    ticks, events, records: whether a schedule's tick has come, an event may be due, an audit record is not sealed.
    """

    now: datetime
    since: Mapping[str, datetime]
    abandoned: bool
    ticks: bool
    events: bool
    records: bool

    @property
    def longest_wait(self) -> timedelta:
        """How long the job that has been due longest has been waiting; zero when none is due."""
        return max((self.now - each for each in self.since.values()), default=timedelta(0))


async def look(session: Session, held: Collection[UUID] = (), *, schedules: Collection[str] = ()) -> Look:
    """One read, however much waits: a probe of an index for each name that has ready jobs.

    held: as `is_abandoned`. schedules: those whose ticks are asked for.
    """
    asked = {"held": list(held), "schedules": list(schedules)}
    rows = (await session.execute(_statement(dialect_of(session)), asked)).all()
    due = {row.name: row.first for row in rows if row.first is not None and row.first <= row.now}
    there, *_ = rows
    return Look(
        now=there.now,
        since=due,
        abandoned=bool(there.abandoned),
        ticks=bool(there.ticks),
        events=bool(there.events),
        records=bool(there.records),
    )


@lru_cache
def _statement(dialect: str) -> Select[Any]:
    now, ready = standing_instant(dialect), in_state(State.READY)
    names = select(func.min(JOBS.c.name).label("name")).where(ready).cte("names", recursive=True)
    following = select(func.min(JOBS.c.name)).where(ready, JOBS.c.name > names.c.name).scalar_subquery()
    # It ends with a row of NULL, and has no other where nothing is ready: the other columns are always told.
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    first = (
        select(JOBS.c.run_at)
        .where(ready, JOBS.c.name == names.c.name)
        .order_by(JOBS.c.run_at)
        .limit(1)
        .correlate(names)
        .scalar_subquery()
    )
    return select(
        names.c.name,
        first.label("first"),
        now.label("now"),
        exists().where(is_abandoned(dialect, bindparam("held", expanding=True))).label("abandoned"),
        exists()
        .where(SCHEDULES.c.next_at <= now, SCHEDULES.c.name.in_(bindparam("schedules", expanding=True)))
        .label("ticks"),
        exists().where(is_waiting(now)).label("events"),
        exists().where(is_unsealed()).label("records"),
    )

"""Looking for jobs that are due, and taking them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, func, select, update

from freehold.jobs.leases import Claim, is_abandoned, lease_end
from freehold.jobs.queue import dialect_of
from freehold.jobs.tables import JOBS, State, in_state
from freehold.resource.base import new_id
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to do. since: for each name with a job that is due, when the first of them was."""

    now: datetime
    since: Mapping[str, datetime]
    abandoned: bool

    @property
    def longest_wait(self) -> timedelta:
        """How long the job that has been due longest has been waiting; zero when none is due."""
        return max((self.now - each for each in self.since.values()), default=timedelta(0))


async def look(session: Session, held: Collection[UUID] = ()) -> Look:
    """One read, however much waits: a probe of an index for each name that has ready jobs. held: as `is_abandoned`."""
    now = instant(dialect_of(session))
    ready = in_state(State.READY)
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
    abandoned = exists().where(is_abandoned(dialect_of(session), held))
    found = await session.execute(
        select(names.c.name, first.label("first"), now.label("now"), abandoned.label("abandoned"))
    )
    rows = found.all()
    due = {row.name: row.first for row in rows if row.first is not None and row.first <= row.now}
    return Look(now=rows[0].now, since=due, abandoned=bool(rows[0].abandoned))


async def choose(session: Session, name: str, *, limit: int) -> list[UUID]:
    """Lock up to `limit` due jobs of this name that no other process is taking, the longest waiting first."""
    due = in_state(State.READY), JOBS.c.name == name, JOBS.c.run_at <= instant(dialect_of(session))
    chosen = select(JOBS.c.id).where(*due).order_by(JOBS.c.run_at, JOBS.c.id).limit(limit)
    return list((await session.execute(chosen.with_for_update(skip_locked=True))).scalars())


async def claim(session: Session, chosen: Collection[UUID], leases: Mapping[str, timedelta]) -> list[Claim]:
    """Take jobs that are locked, in their order. leases: by the name of the job."""
    if not chosen:
        return []
    until: ColumnElement[datetime] = lease_end(dialect_of(session), leases)
    taken = (
        update(JOBS)
        .where(JOBS.c.id.in_(chosen), in_state(State.READY))
        .values(state=State.RUNNING, attempts=JOBS.c.attempts + 1, lease_token=new_id(), lease_until=until)
        .returning(*JOBS.c)
    )
    places = {identity: place for place, identity in enumerate(chosen)}
    rows = (await session.execute(taken)).all()
    return sorted((_claim(row) for row in rows), key=lambda one: places[one.id])


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id,
        name=row.name,
        token=row.lease_token,
        payload=row.payload,
        principal=row.principal,
        order_key=row.order_key,
        attempts=row.attempts,
        failures=row.failures,
        request_id=row.request_id,
    )

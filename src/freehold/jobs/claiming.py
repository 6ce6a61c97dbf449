"""Taking jobs that are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, update

from freehold.jobs.leases import Claim, is_suspected, lease_end
from freehold.jobs.queue import dialect_of
from freehold.jobs.tables import JOBS, State, in_state
from freehold.resource.base import new_id
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Chosen:
    """A job that is locked. is_suspect: it is to run alone."""

    id: UUID
    is_suspect: bool


async def choose(session: Session, name: str, *, limit: int, suspects: bool = True) -> list[Chosen]:
    """Lock up to `limit` due jobs of this name that no other process is taking, the longest waiting first.

    suspects: those that are to run alone as well.
    """
    due = [in_state(State.READY), JOBS.c.name == name, JOBS.c.run_at <= instant(dialect_of(session))]
    if not suspects:
        due.append(~is_suspected())
    chosen = select(JOBS.c.id, is_suspected()).where(*due).order_by(JOBS.c.run_at, JOBS.c.id).limit(limit)
    return [Chosen(*row) for row in await session.execute(chosen.with_for_update(skip_locked=True))]


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

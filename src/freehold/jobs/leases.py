"""A job under a lease: whoever holds it may lengthen it, end the job, or give it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, case, false, or_, select, update

from freehold.jobs import order
from freehold.jobs.queue import dialect_of, free_key
from freehold.jobs.tables import JOBS, State, in_state
from freehold.store.instant import instant, standing_instant

if TYPE_CHECKING:
    from freehold.store.session import Session

# What has died with its worker this often runs alone from then on: among others it may be the one that was killed.
SUSPECT_AFTER = 2
# A worker that died of a job alone this often is held to have died of it (J03). Once may be chance: see decision 0047.
POISON_ALONE = 3
POISON_AFTER = SUSPECT_AFTER + POISON_ALONE
# No lease lasts this long: a later one was written by a clock that has been put back since (F06).
_IMPOSSIBLE = timedelta(minutes=20)

_IDLE = {"lease_token": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """One job under a lease: whoever holds the token may end it."""

    id: UUID
    name: str
    token: UUID
    payload: Mapping[str, Any]
    principal: Mapping[str, Any]
    order_key: str | None
    attempts: int
    failures: int
    request_id: str | None

    @property
    def is_suspect(self) -> bool:
        """Whether it is to be the only one that its process runs."""
        return self.attempts - 1 - self.failures >= SUSPECT_AFTER

    @property
    def held(self) -> ColumnElement[bool]:
        """True in SQL as long as nobody took the lease over."""
        return and_(JOBS.c.id == self.id, JOBS.c.lease_token == self.token, in_state(State.RUNNING))


def is_suspected() -> ColumnElement[bool]:
    """Whether a job that waits is to run alone, see `Claim.is_suspect`."""
    return JOBS.c.attempts - JOBS.c.failures >= SUSPECT_AFTER


def lease_end(dialect: str, leases: Mapping[str, timedelta]) -> ColumnElement[datetime]:
    """When a lease taken now ends, by the name of the job."""
    ends = [(JOBS.c.name == name, instant(dialect, lease)) for name, lease in leases.items()]
    return case(*ends, else_=instant(dialect))


async def extend(session: Session, held: Sequence[Claim], leases: Mapping[str, timedelta]) -> set[UUID]:
    """Lengthen the leases of `held`; the ids that are still ours."""
    statement = (
        update(JOBS)
        .where(or_(false(), *(one.held for one in held)))
        .values(lease_until=lease_end(dialect_of(session), leases))
        .returning(JOBS.c.id)
    )
    return set((await session.execute(statement)).scalars())


async def still_held(session: Session, held: Claim) -> bool:
    """Whether the lease is ours, and stays so until this transaction ends."""
    found = await session.execute(select(JOBS.c.id).where(held.held).with_for_update(read=True))
    return found.first() is not None


async def finish(session: Session, held: Claim) -> bool:
    """Mark the job done in the unit of its effect. False: the lease is lost and the unit must roll back."""
    done: dict[str, Any] = {
        "state": State.DONE,
        "payload": {},
        "error": None,
        "order_key": None,
        "finished_at": instant(dialect_of(session)),
    }
    ended = await _end(session, held, done)
    if ended:
        await order.leave(session, held.name, held.order_key)
    return ended


async def fail(session: Session, held: Claim, *, error: str, pause: timedelta | None) -> bool:
    """Record a failed try: again after `pause`, or dead where that is None."""
    now = instant(dialect_of(session), pause or timedelta(0))
    values: dict[str, Any] = {"failures": JOBS.c.failures + 1, "error": error}
    if pause is not None:
        return await _end(session, held, values | {"state": State.READY, "run_at": now, "unique_key": free_key()})
    ended = await _end(session, held, values | {"state": State.DEAD, "finished_at": now})
    if ended:
        await order.leave(session, held.name, held.order_key)
    return ended


async def give_back(session: Session, held: Claim) -> bool:
    """Return the job untried, as a worker does that has been told to stop."""
    values: dict[str, Any] = {"state": State.READY, "attempts": JOBS.c.attempts - 1, "unique_key": free_key()}
    return await _end(session, held, values)


async def _end(session: Session, held: Claim, values: Mapping[str, Any]) -> bool:
    ended = await session.execute(update(JOBS).where(held.held).values(**values, **_IDLE).returning(JOBS.c.id))
    return ended.first() is not None


def is_abandoned(dialect: str, held: Collection[UUID] | BindParameter[Any]) -> ColumnElement[bool]:
    """Its lease has run out, and it is not one of those that this process itself is running."""
    now, impossible = standing_instant(dialect), standing_instant(dialect, _IMPOSSIBLE)
    late = or_(JOBS.c.lease_until <= now, JOBS.c.lease_until > impossible)
    return and_(in_state(State.RUNNING), late, JOBS.c.id.not_in(held))


async def recover(session: Session, held: Collection[UUID]) -> list[tuple[UUID, str, State]]:
    """Take back the jobs whose worker is gone; park as dead those that killed POISON_AFTER workers."""
    dialect = dialect_of(session)
    gone = select(JOBS.c.id).where(is_abandoned(dialect, held)).limit(100).with_for_update(skip_locked=True)
    ids = (await session.execute(gone)).scalars().all()
    if not ids:
        return []
    poison = JOBS.c.attempts - JOBS.c.failures >= POISON_AFTER
    statement = (
        update(JOBS)
        .where(JOBS.c.id.in_(ids), in_state(State.RUNNING))
        .values(
            state=case((poison, State.DEAD.value), else_=State.READY.value),
            error=case(
                (poison, f"poison: its worker died {POISON_AFTER} times, of it alone the last {POISON_ALONE}"),
                else_="its worker died",
            ),
            finished_at=case((poison, instant(dialect)), else_=None),
            unique_key=free_key(),
            **_IDLE,
        )
        .returning(JOBS.c.id, JOBS.c.name, JOBS.c.state, JOBS.c.order_key)
    )
    rows = (await session.execute(statement)).all()
    for row in sorted(rows, key=lambda one: (one.name, one.order_key or "")):  # locks in one order everywhere
        if row.state == State.DEAD:
            await order.leave(session, row.name, row.order_key)
    return [(row.id, row.name, State(row.state)) for row in rows]

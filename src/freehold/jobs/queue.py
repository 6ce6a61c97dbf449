"""Job rows as they come, wait and go. Each statement runs in its caller's transaction; none commits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, exists, func, select

from freehold.jobs import carriage, order
from freehold.jobs.tables import JOBS, WAITING_WITH_KEY, State, in_state
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store.instant import instant
from freehold.store.upserts import insert_into
from freehold.store.waking import announce_after_commit

if TYPE_CHECKING:
    from freehold.store.session import Session


def dialect_of(session: Session) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


async def put(
    session: Session,
    *,
    name: str,
    payload: Mapping[str, Any],
    system: str | None = None,
    run_at: datetime | None = None,
    key: str | None = None,
    order_key: str | None = None,
    owner: UUID | None = None,
) -> UUID:
    """Write a job row, or find the waiting one with the same key; its id.

    owner: whose job it is. Raises ValueError where the session is not the system's: nobody acts for another.
    """
    if owner is not None and not session.principal.is_system:
        raise ValueError(f"job {name!r}: only the system enqueues for somebody else")
    if key is not None and order_key is not None:
        raise ValueError(f"job {name!r}: key and order do not go together: what waits in an order is run, not merged")
    if session.unit is None:
        raise RuntimeError(f"job {name!r} needs a unit of work to commit with; this session only reads")
    dialect = dialect_of(session)
    number, state = (None, State.READY) if order_key is None else await order.join(session, name, order_key)
    insert = insert_into(session, JOBS).values(
        id=new_id(),
        name=name,
        payload=dict(payload),
        principal=carriage.pack(session.principal if owner is None else Principal(id=owner), system=system),
        state=state,
        unique_key=key,
        order_key=order_key,
        order_number=number,
        run_at=instant(dialect) if run_at is None else run_at,
        request_id=getattr(session.unit, "request_id", None),
    )
    # DO UPDATE, not DO NOTHING: it locks the waiting row until this transaction ends, so that no worker takes it and
    # runs before what is written here can be seen.
    earlier = case((insert.excluded.run_at < JOBS.c.run_at, insert.excluded.run_at), else_=JOBS.c.run_at)
    statement = insert.on_conflict_do_update(
        index_elements=["name", "unique_key"], index_where=WAITING_WITH_KEY, set_={"run_at": earlier}
    ).returning(JOBS.c.id)
    identity: UUID = (await session.execute(statement)).scalar_one()
    announce_after_commit(session.unit)
    return identity


def free_key() -> ColumnElement[str | None]:
    """The row's key, unless another job waits under it by now: then both shall run, this one without a key."""
    other = JOBS.alias("other")
    waiting = (
        exists()
        .where(
            other.c.name == JOBS.c.name,
            other.c.unique_key == JOBS.c.unique_key,
            other.c.state == State.READY,
            other.c.id != JOBS.c.id,
        )
        .correlate(JOBS)
    )
    return case((waiting, None), else_=JOBS.c.unique_key)


async def take_away(session: Session, job_id: UUID) -> bool:
    """Delete a job that waits. False: it does not, or no more."""
    waiting = delete(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_((State.READY, State.BEHIND)))
    row = (await session.execute(waiting.returning(JOBS.c.name, JOBS.c.order_key))).one_or_none()
    if row is not None:
        await order.leave(session, row.name, row.order_key)
    return row is not None


async def clear_done(session: Session, *, older_than: timedelta, limit: int = 1000) -> int:
    """Delete up to `limit` jobs that were done longer ago than this; how many."""
    old = select(JOBS.c.id).where(in_state(State.DONE), JOBS.c.finished_at < instant(dialect_of(session), -older_than))
    gone = await session.execute(delete(JOBS).where(JOBS.c.id.in_(old.limit(limit))).returning(JOBS.c.id))
    return len(gone.all())


async def count_dead(session: Session) -> int:
    """How many jobs wait for a person."""
    return int(await session.scalar(select(func.count()).select_from(JOBS).where(in_state(State.DEAD))) or 0)

"""Jobs that run one after the other: of those with one order only the first is ready, the others stand behind it.

On PostgreSQL an order is locked from the moment something joins or leaves it until that transaction ends: otherwise a
job could stand behind one that has just ended, for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, literal_column, select, update

from freehold.jobs.tables import JOBS, State, in_state
from freehold.store.turns import take_turn
from freehold.store.waking import announce_after_commit

if TYPE_CHECKING:
    from freehold.store.session import Session

_OPEN = JOBS.c.state.in_([literal_column(f"'{state}'") for state in (State.READY, State.BEHIND, State.RUNNING)])


async def join(session: Session, name: str, key: str) -> tuple[int, State]:
    """The number of a job that joins now, at the end, and whether it is ready or stands behind another."""
    await take_turn(session, "job", f"{name}\0{key}")
    mine = JOBS.c.name == name, JOBS.c.order_key == key
    last = await session.scalar(select(func.max(JOBS.c.order_number)).where(*mine))
    is_behind = await session.scalar(select(JOBS.c.id).where(*mine, _OPEN).limit(1))
    return (last or 0) + 1, State.READY if is_behind is None else State.BEHIND


async def leave(session: Session, name: str, key: str | None) -> None:
    """One of this order has ended: make the next one ready. Call it after the statement that ended it."""
    if key is None:
        return
    await take_turn(session, "job", f"{name}\0{key}")
    mine = JOBS.c.name == name, JOBS.c.order_key == key
    # Only where none is ready or running: a job that is taken away may have stood behind others.
    first = (
        select(JOBS.c.id, JOBS.c.state).where(*mine, _OPEN).order_by(JOBS.c.order_number, JOBS.c.id).limit(1).subquery()
    )
    behind = select(first.c.id).where(first.c.state == State.BEHIND)
    ready = update(JOBS).where(JOBS.c.id.in_(behind), in_state(State.BEHIND)).values(state=State.READY)
    moved = await session.execute(ready.returning(JOBS.c.id))
    if moved.first() is not None and session.unit is not None:
        announce_after_commit(session.unit)

"""What waits, runs and is dead, for people who look after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from freehold.jobs.queue import dialect_of
from freehold.jobs.tables import JOBS, State
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.session import Session


@dataclass(frozen=True, slots=True)
class Backlog:
    """The jobs of one name. due: could run now. later: wait for their time. behind: for an earlier one of their order.

    waiting_seconds: how long the one that has been due longest has been waiting.
    """

    name: str
    due: int
    later: int
    behind: int
    running: int
    dead: int
    waiting_seconds: float


async def backlogs(session: Session) -> list[Backlog]:
    """By name, where anything is left to do. It counts every row that is not done: for people, not for metrics."""
    now = instant(dialect_of(session))
    is_due = (JOBS.c.state == State.READY) & (JOBS.c.run_at <= now)
    is_later = (JOBS.c.state == State.READY) & (JOBS.c.run_at > now)
    counts = (is_due, is_later, *(JOBS.c.state == state for state in (State.BEHIND, State.RUNNING, State.DEAD)))
    found = await session.execute(
        select(
            JOBS.c.name,
            *(func.sum(case((each, 1), else_=0)) for each in counts),
            func.min(case((is_due, JOBS.c.run_at))).label("since"),
            now.label("now"),
        )
        .where(JOBS.c.state != State.DONE)
        .group_by(JOBS.c.name)
        .order_by(JOBS.c.name)
    )
    return [Backlog(*row[:6], 0.0 if row.since is None else (row.now - row.since).total_seconds()) for row in found]

"""Who is told when log-ins end, in the transaction that ends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from sqlalchemy import update

from freehold.identity.tables import SESSIONS
from freehold.resource import clock

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from freehold.store.session import Session


class Follower(Protocol):
    """A part that hangs on log-ins (`Sessions.followers`)."""

    async def ended(self, session: Session, session_id: UUID) -> None:
        """A log-in has ended, for whatever reason."""
        ...

    async def forgotten(self, session: Session, user_id: UUID) -> None:
        """A user leaves: no trace of them may stay."""
        ...


async def end_open(
    session: Session, followers: Sequence[Follower], *which: ColumnElement[bool], by: str
) -> Sequence[UUID]:
    """End the log-ins that are open of those, and tell the followers of each; their ids."""
    mine = update(SESSIONS).where(*which, SESSIONS.c.ended_at.is_(None))
    found = await session.execute(mine.values(ended_at=clock.now(), ended_by=by).returning(SESSIONS.c.id))
    ended: Sequence[UUID] = found.scalars().all()
    for follower in followers:
        for session_id in ended:
            await follower.ended(session, session_id)
    return ended

"""Tags: what kept answers depend on besides tables."""

from __future__ import annotations

from freehold.store.session import Session


async def forget(db: Session, *tags: str) -> None:
    """Drop the answers that were declared with `Cache(tags=…)` to depend on one of these, by the commit of this unit.

    Raises TypeError in a session that only reads: nothing will be committed.
    """
    if db.unit is None:
        raise TypeError("forget() belongs to a unit of work: a POST, PUT, PATCH or DELETE, or a job")
    db.unit.written.update(tags)

"""The sweep of holds. Dates are free at the very end of a hold without it; it keeps the records straight."""

from __future__ import annotations

from datetime import timedelta

from freehold import Session, schedule

from . import crud


@schedule("imba.expire_holds", every=timedelta(minutes=1))
async def expire_holds(db: Session) -> None:
    """Write `expired` on holds past their end."""
    await crud.lapse_due(db)

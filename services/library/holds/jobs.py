"""What happens to holds by the clock."""

from __future__ import annotations

from datetime import timedelta

from freehold import Session, schedule

from . import crud


@schedule("library.expire_holds", every=timedelta(minutes=10))
async def expire_holds(db: Session) -> None:
    """Give copies that were not fetched in time to whoever is next."""
    await crud.expire_due(db)

"""Publishing reviews by the clock."""

from __future__ import annotations

from datetime import timedelta

from freehold import Session, schedule

from . import crud


@schedule("imba.publish_reviews", every=timedelta(minutes=1))
async def publish_reviews(db: Session) -> None:
    """Publish the reviews of stays whose both sides have written, or whose time is over."""
    await crud.publish_due(db)

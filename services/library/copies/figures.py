"""What a report asks of copies."""

from __future__ import annotations

from sqlalchemy import func, select

from freehold import Session

from .models import Copy


async def by_status(db: Session) -> dict[str, int]:
    """How many copies there are in each state."""
    counted = select(Copy.status, func.count()).group_by(Copy.status).order_by(Copy.status)
    return {row[0]: row[1] for row in await db.execute(counted)}

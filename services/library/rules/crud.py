"""What other features ask of the rules."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from freehold import Session

from .models import CirculationRule
from .terms import Terms, resolve


async def terms(db: Session, *, library_id: UUID, category: str, item_type: str) -> Terms:
    """What holds now for the three together."""
    fitting = select(CirculationRule).where(
        or_(CirculationRule.library_id.is_(None), CirculationRule.library_id == library_id),
        or_(CirculationRule.category.is_(None), CirculationRule.category == category),
        or_(CirculationRule.item_type.is_(None), CirculationRule.item_type == item_type),
    )
    return resolve(await db.scalars(fitting), library_id=library_id, category=category, item_type=item_type)

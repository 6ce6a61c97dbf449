"""What happens to reviews, as plain functions that know no HTTP. They run inside the request's one transaction."""

from __future__ import annotations

from freehold import Principal, Session

from .models import Review
from .schemas import ReviewDraft


async def add(db: Session, actor: Principal, draft: ReviewDraft) -> Review:
    """A new review, as sent. What the domain asks for beyond the schema is checked here."""
    review = Review(**draft.model_dump(), owner_id=actor.id)
    db.add(review)
    return review

"""What clients send and see of reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Prose, not_blank

from .models import Subject

Rating = Annotated[int, Field(ge=1, le=5)]
Words = Annotated[Prose, Field(max_length=4000)]


class ReviewDraft(BaseModel):
    """Review a stay that is over: its tenant the property, its landlord the guest."""

    model_config = INPUT

    reservation_id: UUID
    rating: Rating
    text: Words = ""


class ReviewChange(BaseModel):
    """Change one's mind before it is published."""

    model_config = INPUT

    rating: Rating | MISSING = MISSING
    text: Words | MISSING = MISSING


class Answer(BaseModel):
    """The landlord's answer, which everyone reads with the review."""

    model_config = INPUT

    text: Annotated[Prose, Field(min_length=1, max_length=2000), AfterValidator(not_blank)]


class ReviewRead(BaseModel):
    """A review. Before `published_at` its author alone reads it, and may change it; the stay is the author's to know.

    `property_id` is there where it speaks of a property, `guest_id` where it speaks of a guest.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    subject: Subject
    property_id: UUID | None
    guest_id: UUID | None
    reservation_id: UUID | None = None
    author_id: UUID | None = None
    author_name: str
    rating: int
    text: str
    answer: str | None
    answered_at: datetime | None
    closes_at: datetime
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime

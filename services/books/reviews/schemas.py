"""What clients send of a review. What they see, and what they may change, follows from this and the model."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import Prose


class ReviewDraft(BaseModel):
    """A new review."""

    model_config = ConfigDict(extra="forbid", strict=True)

    body: Annotated[Prose, Field(min_length=1, max_length=10_000)]
    rating: Annotated[int, Field(ge=1, le=5)]
    book_id: UUID

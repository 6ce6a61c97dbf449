"""What clients send of a book. What they see, and what they may change, follows from this and the model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import Line


class BookDraft(BaseModel):
    """A book to keep. Whose it is, the server says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[Line, Field(min_length=1, max_length=200)]
    author: Annotated[Line, Field(min_length=1, max_length=200)]
    year: Annotated[int, Field(ge=-3000, le=2200, description="Of the first edition; before our era negative")]
    publisher: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    page_count: Annotated[int, Field(ge=1, le=50_000)] | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$", description="ISO 639-1")] | None = None

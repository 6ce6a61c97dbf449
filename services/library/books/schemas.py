"""What clients send and see of titles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Line, not_blank

from . import isbn


def _isbn(text: str) -> str:
    try:
        return isbn.parse(text)
    except isbn.BadISBN as error:
        raise PydanticCustomError("isbn", "{reason}", {"reason": str(error)}) from None


ISBN = Annotated[
    Line,
    Field(max_length=24, description="Ten or thirteen digits, with or without hyphens", examples=["0-306-40615-2"]),
    AfterValidator(_isbn),
]


class BookDraft(BaseModel):
    """A title to add. One of the two numbers is enough: each follows from the other."""

    model_config = INPUT | ConfigDict(
        json_schema_extra={
            "examples": [{"title": "The Dispossessed", "author": "Ursula K. Le Guin", "year": 1974, "language": "eng"}]
        }
    )

    title: Annotated[Line, Field(min_length=1, max_length=500), AfterValidator(not_blank)]
    author: Annotated[Line, Field(min_length=1, max_length=1000), AfterValidator(not_blank)]
    isbn: ISBN | None = None
    isbn13: ISBN | None = None
    language: Annotated[Line, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", examples=["eng"])] | None = None
    year: (
        Annotated[int, Field(ge=-4000, le=2200, description="Of the first edition; before our era negative")] | None
    ) = None
    average_rating: Annotated[float, Field(ge=0, le=5)] | None = None
    ratings_count: Annotated[int, Field(ge=0, le=2_000_000_000)] = 0
    source_id: Annotated[Line, Field(min_length=1, max_length=64)] | None = None


class BookRead(BaseModel):
    """A title. times_borrowed counts every loan there ever was."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    author: str
    isbn: str | None
    isbn13: str | None
    language: str | None
    year: int | None
    average_rating: float | None
    ratings_count: int
    times_borrowed: int
    created_at: datetime


class Availability(BaseModel):
    """What of a title is to be had at this moment. waiting: how many holds wait for a copy."""

    copies: int
    available: int
    waiting: int

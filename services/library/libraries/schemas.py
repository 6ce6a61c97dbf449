"""What clients send and see of libraries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Currency, Day, Line, not_blank
from freehold.local_time import TimeZone


def _some_left(days: list[int]) -> list[int]:
    if len(set(days)) != len(days):
        raise PydanticCustomError("weekdays", "each weekday once")
    return sorted(days)


Weekdays = Annotated[
    list[Annotated[int, Field(ge=1, le=7)]],
    Field(max_length=6, description="1 is Monday, 7 Sunday; at most six: a library opens at some time"),
    AfterValidator(_some_left),
]


class LibraryDraft(BaseModel):
    """A library to open."""

    model_config = INPUT

    name: Annotated[Line, Field(min_length=1, max_length=120), AfterValidator(not_blank)]
    time_zone: TimeZone = "UTC"
    currency: Currency = "EUR"
    closed_weekdays: Weekdays = []


class LibraryRead(BaseModel):
    """A library."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    time_zone: str
    currency: str
    closed_weekdays: list[int]
    created_at: datetime


class ClosedDayDraft(BaseModel):
    """A day on which a library is closed. Loans that are out already keep the day on which they are due."""

    model_config = INPUT

    library_id: UUID
    day: Day
    reason: Annotated[Line, Field(max_length=200)] = ""


class ClosedDayRead(BaseModel):
    """A day on which a library is closed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    library_id: UUID
    day: date
    reason: str

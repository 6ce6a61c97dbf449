"""The visiting hours of a property, and its free slots."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT
from freehold.local_time import ClockTime, ClosingTime, PlannedDay

from ..pricing.schemas import Weekday

LONGEST_LOOK_DAYS = 31


class Opening(BaseModel):
    """From one time to another, by the clock of the property."""

    model_config = INPUT

    opens: ClockTime
    closes: ClosingTime

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.closes <= self.opens:
            raise PydanticCustomError("opening", "closes has to be after opens")
        return self


class WeeklyOpening(Opening):
    """An opening on one day of each week."""

    day: Weekday


def _apart(openings: list[Opening]) -> list[Opening]:
    ordered = sorted(openings, key=lambda opening: opening.opens)
    if any(one.closes > other.opens for one, other in pairwise(ordered)):
        raise PydanticCustomError("openings", "two openings of one day overlap")
    return ordered


class Exceptional(BaseModel):
    """A day with hours of its own; none: closed."""

    model_config = INPUT

    date: PlannedDay
    openings: Annotated[list[Opening], Field(max_length=10), AfterValidator(_apart)] = []


def _by_day(openings: list[WeeklyOpening]) -> list[WeeklyOpening]:
    for day in {opening.day for opening in openings}:
        _apart([opening for opening in openings if opening.day == day])
    return openings


def _distinct(exceptions: list[Exceptional]) -> list[Exceptional]:
    if len({each.date for each in exceptions}) < len(exceptions):
        raise PydanticCustomError("repeated", "the same day twice")
    return exceptions


class VisitingHours(BaseModel):
    """When visits may be asked for. Until a landlord sets hours, at any time: each is a request to be answered."""

    model_config = INPUT

    instant: bool = Field(default=False, description="A visit is confirmed at once, without the landlord's answer")
    weekly: Annotated[list[WeeklyOpening], Field(max_length=70), AfterValidator(_by_day)] | None = Field(
        default=None, description="null: at any time; an empty list: never"
    )
    exceptions: Annotated[list[Exceptional], Field(max_length=366), AfterValidator(_distinct)] = []
    buffer_minutes: int = Field(default=0, ge=0, le=240, description="Kept free after each visit")
    notice_hours: int = Field(default=0, ge=0, le=24 * 30)
    horizon_days: int | None = Field(default=None, ge=1, le=366, description="How far ahead; null: no limit")


class Look(BaseModel):
    """The days to look at, by the clock of the property: `to` is the first that does not count. At most 31 of them."""

    model_config = ConfigDict(extra="forbid")

    since: PlannedDay | None = Field(default=None, alias="from", description="Today there, where absent")
    until: PlannedDay | None = Field(default=None, alias="to", description="7 days after `from`, where absent")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.since and self.until and not 0 < (self.until - self.since).days <= LONGEST_LOOK_DAYS:
            raise PydanticCustomError("window", "`to` has to be after `from`, by at most 31 days")
        return self


class Slot(BaseModel):
    """A time for a visit, as an instant, and as the clock of the property shows it."""

    starts_at: datetime
    ends_at: datetime
    local_start: datetime


class Slots(BaseModel):
    """The free times of a property."""

    property_id: UUID
    time_zone: str
    start: date
    end: date
    slots: list[Slot]

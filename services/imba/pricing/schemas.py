"""The terms of a property, as its landlord sets them, and a quote under them."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeAlias, get_args
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT
from freehold.local_time import ClockTime, PlannedDay

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Policy: TypeAlias = Literal["flexible", "moderate", "strict", "custom"]
LineKind: TypeAlias = Literal["nights", "length_discount", "cleaning"]

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
LONGEST_STAY_NIGHTS = 365
Amount = Annotated[int, Field(ge=0, le=1_000_000_000_000, description="In minor units of the property's currency")]


class Season(BaseModel):
    """Another price per night from `start` up to `end`, which is the first night that it does not hold for."""

    model_config = INPUT

    start: PlannedDay
    end: PlannedDay
    price_amount: Annotated[int, Field(ge=1, le=1_000_000_000_000)]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.end <= self.start:
            raise PydanticCustomError("season", "end has to be after start")
        return self


class LengthDiscount(BaseModel):
    """A discount on the nights of a stay that has at least so many. 1,000 basis points are 10 %."""

    model_config = INPUT

    nights: int = Field(ge=2, le=LONGEST_STAY_NIGHTS)
    basis_points: int = Field(ge=1, le=10_000)


class CancellationStep(BaseModel):
    """Until so many days before check-in, at the hour of check-in there, this part of the price is given back."""

    model_config = INPUT

    days_before: int = Field(ge=0, le=365)
    percent: int = Field(ge=0, le=100)


POLICIES: dict[Policy, list[CancellationStep]] = {
    "flexible": [CancellationStep(days_before=1, percent=100)],
    "moderate": [CancellationStep(days_before=5, percent=100), CancellationStep(days_before=1, percent=50)],
    "strict": [CancellationStep(days_before=30, percent=100), CancellationStep(days_before=7, percent=50)],
}


def _apart(seasons: list[Season]) -> list[Season]:
    ordered = sorted(seasons, key=lambda season: season.start)
    if any(one.end > other.start for one, other in pairwise(ordered)):
        raise PydanticCustomError("seasons", "two seasons overlap")
    return ordered


def _rising(discounts: list[LengthDiscount]) -> list[LengthDiscount]:
    if len({each.nights for each in discounts}) < len(discounts):
        raise PydanticCustomError("discounts", "two discounts for the same number of nights")
    return sorted(discounts, key=lambda each: each.nights)


def _falling(steps: list[CancellationStep]) -> list[CancellationStep]:
    ordered = sorted(steps, key=lambda step: -step.days_before)
    if any(one.days_before == other.days_before or one.percent < other.percent for one, other in pairwise(ordered)):
        raise PydanticCustomError("steps", "each step has days of its own, and gives back no more than an earlier one")
    return ordered


def _distinct(days: list[Weekday]) -> list[Weekday]:
    if len(set(days)) < len(days):
        raise PydanticCustomError("repeated", "the same day twice")
    return days


class BookingTerms(BaseModel):
    """How a property is let by the night. What is absent has its default; a stay keeps the terms it was booked on."""

    model_config = INPUT

    instant: bool = Field(default=False, description="A stay is confirmed at once, without the landlord's answer")
    hold_hours: int = Field(default=24, ge=1, le=168, description="How long a request keeps its dates")
    min_nights: int = Field(default=1, ge=1, le=LONGEST_STAY_NIGHTS)
    max_nights: int = Field(default=LONGEST_STAY_NIGHTS, ge=1, le=LONGEST_STAY_NIGHTS)
    arrival_days: Annotated[list[Weekday], Field(min_length=1, max_length=7), AfterValidator(_distinct)] = list(
        WEEKDAYS
    )
    departure_days: Annotated[list[Weekday], Field(min_length=1, max_length=7), AfterValidator(_distinct)] = Field(
        default=list(WEEKDAYS), description="With arrival_days of the same one day it is the turnover day"
    )
    gap_nights: int = Field(default=0, ge=0, le=14, description="Nights kept free after each stay")
    max_guests: int = Field(default=100, ge=1, le=100)
    notice_days: int = Field(default=0, ge=0, le=365, description="The first arrival is so many days from today there")
    horizon_days: int | None = Field(default=None, ge=1, le=3650, description="The last arrival; null: no limit")
    check_in_time: ClockTime = "15:00"
    check_out_time: ClockTime = "11:00"
    seasons: Annotated[list[Season], Field(max_length=100), AfterValidator(_apart)] = []
    length_discounts: Annotated[list[LengthDiscount], Field(max_length=10), AfterValidator(_rising)] = []
    cleaning_amount: Amount = 0
    deposit_amount: Amount = 0
    cancellation: Policy = "flexible"
    cancellation_steps: Annotated[list[CancellationStep], Field(max_length=10), AfterValidator(_falling)] = []

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.min_nights > self.max_nights:
            raise PydanticCustomError("nights", "min_nights is more than max_nights")
        if (self.cancellation == "custom") != bool(self.cancellation_steps):
            raise PydanticCustomError("cancellation", "cancellation_steps go with `custom`, and only with it")
        return self

    @property
    def steps(self) -> list[CancellationStep]:
        """What a cancellation gives back, the earliest first."""
        return self.cancellation_steps if self.cancellation == "custom" else POLICIES[self.cancellation]


class Wanted(BaseModel):
    """The stay that is asked about: the nights from `check_in` up to `check_out`."""

    model_config = ConfigDict(extra="forbid")

    check_in: PlannedDay | None = Field(default=None, description="Tomorrow there, where absent")
    check_out: PlannedDay | None = Field(default=None, description="The shortest stay, where absent")
    guests: int = Field(default=1, ge=1, le=100)


class PriceLine(BaseModel):
    """A part of a price. nights, unit_amount: of a run of nights at one price."""

    kind: LineKind
    amount: int
    nights: int | None = None
    unit_amount: int | None = None
    basis_points: int | None = None


class Quote(BaseModel):
    """What a stay costs, in whole minor units. `total_amount` is the sum of the lines; the deposit is apart from it.

    A discount is rounded to the nearest minor unit, a half in the tenant's favour.
    """

    property_id: UUID
    check_in: date
    check_out: date
    guests: int
    lines: list[PriceLine]
    total_amount: int
    currency: str
    deposit_amount: int
    cancellation: list[CancellationStep]

"""What a landlord sees of their figures."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import Day, now

from ..properties.models import Status

LONGEST_PERIOD_DAYS = 731


class Period(BaseModel):
    """The days asked about, half-open: `to` is the first day that does not count. At most two years."""

    model_config = ConfigDict(extra="forbid")

    since: Day | None = Field(default=None, alias="from", description="The first of the month 11 months ago, if absent")
    until: Day | None = Field(
        default=None, alias="to", description="The first of the month after `from`'s year, if absent"
    )

    @model_validator(mode="after")
    def _order(self) -> Self:
        since, until = self.days()
        if not 0 < (until - since).days <= LONGEST_PERIOD_DAYS:
            raise PydanticCustomError("period", "`to` has to be after `from`, by at most 731 days")
        return self

    def days(self) -> tuple[date, date]:
        """The period with its defaults filled in."""
        since = self.since or month_after(now().date(), -11)
        return since, self.until or month_after(since, 12)

    def months(self) -> list[tuple[date, date]]:
        """Its months, half-open; the first and the last cut to the period."""
        since, until = self.days()
        firsts = [since]
        while (first := month_after(firsts[-1], 1)) < until:
            firsts.append(first)
        return list(zip(firsts, [*firsts[1:], until], strict=True))


def month_after(day: date, count: int) -> date:
    """The first day of the month so many after the day's. Raises ValueError outside of the years 1 to 9999."""
    place = day.year * 12 + day.month - 1 + count
    return date(place // 12, place % 12 + 1, 1)


class Income(BaseModel):
    """What stays bring in, and cancelled ones leave; never summed over currencies."""

    currency: str
    amount: int = Field(description="In minor units")


class Month(BaseModel):
    """One month of the period. Income counts where a stay begins, nights where they are."""

    start: date
    end: date
    views: int = Field(description="Looks at the listings by others; some seconds late")
    nights: int = Field(description="Nights of confirmed stays")
    nights_offered: int = Field(description="Days of the month times the properties listed by the night now")
    occupancy: float | None = Field(description="nights / nights_offered; null where none is offered")
    income: list[Income]


class PropertyFigures(BaseModel):
    """One property over the period, and how it stands now."""

    property_id: UUID
    title: str
    status: Status
    nights: int
    occupancy: float = Field(description="nights / days of the period")
    views: int = Field(description="Looks at it by others in the period, of people; some seconds late")
    requests: int = Field(description="Stays asked for in the period")
    confirmed: int = Field(description="Of these, those that stand confirmed")
    conversion: float | None = Field(description="confirmed / requests; null without requests")
    visits: int = Field(description="Visits asked for in the period")
    pending: int = Field(description="Waiting for an answer now")
    favourites: int = Field(description="People who have put it aside, now")
    rating_average: float
    rating_count: int


class Dashboard(BaseModel):
    """A landlord's figures. Properties that were deleted count in the months, and are not in the list."""

    start: date
    end: date
    months: list[Month]
    properties: list[PropertyFigures]
    pending_requests: int
    unread_messages: int

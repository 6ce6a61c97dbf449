"""The hours of a property as instants. Pure but for the clock: no session.

Hours are by the clock of the property, slots are instants: where the clock goes forward the hour that it leaves out
has no slot, and where it goes back the hour that it shows twice has its slots twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from freehold import Invalid
from freehold.errors import FieldError
from freehold.fields import now
from freehold.local_time import instant, local

from ..pricing.schemas import WEEKDAYS
from .schemas import Opening, VisitingHours

DURATION = timedelta(minutes=30)
HOLD = timedelta(hours=24)
Span: TypeAlias = tuple[datetime, datetime]
_WHOLE_DAY = Opening(opens="00:00", closes="24:00")


class OutsideHours(Invalid):
    """The property cannot be visited at that time."""

    code, title = "imba.outside_hours", "Not within the visiting hours"


def hours_of(listing: Any) -> VisitingHours:
    """The visiting hours of a property; any time, where its landlord has set none."""
    return VisitingHours.model_validate(listing.visiting_hours or {})


def place(listing: Any, starts_at: datetime) -> dict[str, Any]:
    """The columns of a visit at that time. Raises OutsideHours where the property is not open to it."""
    hours = hours_of(listing)
    fault = _fault(hours, listing.time_zone, starts_at)
    if fault is not None:
        raise OutsideHours(errors=[FieldError(*fault, pointer="/starts_at")])
    ends_at = starts_at + DURATION
    return {
        "status": "confirmed" if hours.instant else "pending",
        "expires_at": None if hours.instant else min(now() + HOLD, starts_at),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "clear_at": ends_at + timedelta(minutes=hours.buffer_minutes),
        "time_zone": listing.time_zone,
    }


def starts(hours: VisitingHours, zone: str, since: date, until: date) -> Iterator[datetime]:
    """Every start that the hours offer on these days: one after the other, with the buffer between them."""
    step = DURATION + timedelta(minutes=hours.buffer_minutes)
    for number in range((until - since).days):
        for opens, closes in _spans(hours, zone, since + timedelta(number)):
            start = opens
            while start + DURATION <= closes:
                if _in_time(hours, start):
                    yield start
                start += step


def _fault(hours: VisitingHours, zone: str, starts_at: datetime) -> tuple[str, str] | None:
    if not _in_time(hours, starts_at):
        return "notice", "too soon, or too far ahead, for this property"
    if not any(
        opens <= starts_at and starts_at + DURATION <= closes for opens, closes in _around(hours, zone, starts_at)
    ):
        return "hours", "outside the visiting hours of this property"
    return None


def _in_time(hours: VisitingHours, start: datetime) -> bool:
    latest = None if hours.horizon_days is None else now() + timedelta(days=hours.horizon_days)
    return (
        start > now() and start >= now() + timedelta(hours=hours.notice_hours) and (latest is None or start <= latest)
    )


def _around(hours: VisitingHours, zone: str, moment: datetime) -> list[Span]:
    """The spans of the local day and the next, those that meet at midnight joined."""
    day = local(moment, zone).date()
    joined: list[Span] = []
    for span in (*_spans(hours, zone, day), *_spans(hours, zone, day + timedelta(days=1))):
        meets = joined and joined[-1][1] == span[0]
        joined.append((joined.pop()[0], span[1]) if meets else span)
    return joined


def _spans(hours: VisitingHours, zone: str, day: date) -> Iterator[Span]:
    for opening in _openings(hours, day):
        opens, closes = instant(day, opening.opens, zone), instant(day, opening.closes, zone, last=True)
        if opens < closes:  # an opening inside a gap is none
            yield opens, closes


def _openings(hours: VisitingHours, day: date) -> list[Opening]:
    special = next((each for each in hours.exceptions if each.date == day), None)
    if special is not None:
        return special.openings
    if hours.weekly is None:
        return [_WHOLE_DAY]
    of_day = [opening for opening in hours.weekly if opening.day == WEEKDAYS[day.weekday()]]
    return sorted(of_day, key=lambda opening: opening.opens)

"""Local time somewhere: which day it is there, and which instant a time on its clock is.

Clocks there may go forward (a gap: times that do not exist) and back (a repeated hour: times that exist twice).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from freehold.fields import Day, Instant, Line, now

_YEARS = (1900, 2999)
_Moment = TypeVar("_Moment", bound=date)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError("time_zone", "not a time zone of the IANA database, such as Europe/Berlin")
    return name


TimeZone = Annotated[Line, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_known)]


def _countable(moment: _Moment) -> _Moment:
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise PydanticCustomError("years", "the years 1900 to 2999 are those that something can be planned in")
    return moment


PlannedDay = Annotated[Day, AfterValidator(_countable)]
"""A day that something is planned on; there are days before and after it on every clock."""
PlannedInstant = Annotated[Instant, AfterValidator(_countable)]
"""The same of an instant."""
ClockTime = Annotated[Line, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["15:00"])]
"""A time of day, HH:MM."""
ClosingTime = Annotated[Line, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["18:00"])]
"""A time of day, HH:MM; 24:00 is the end of the day."""


def local(instant: datetime, zone: str) -> datetime:
    """The instant on the clock there."""
    return instant.astimezone(ZoneInfo(zone))


def today(zone: str) -> date:
    """The day that it is there."""
    return local(now(), zone).date()


def instant(day: date, clock: str, zone: str, *, last: bool = False) -> datetime:
    """The instant, in UTC, at which the clock there shows `clock` on `day`.

    In a gap: the end of the gap. Of a repeated time the first, or the `last`.
    """
    hours, minutes = map(int, clock.split(":"))
    shown = datetime.combine(day, time()) + timedelta(hours=hours, minutes=minutes)
    first, second = (shown.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:  # in a gap the offset before it makes the later instant
        return _change(second, first, zone)
    return second if last else first


def _change(before: datetime, after: datetime, zone: str) -> datetime:
    """The instant between the two at which the clock there goes forward, to the second."""
    offset = local(before, zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if local(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)

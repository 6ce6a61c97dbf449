"""When a loan is due, and how late it is, by the clock and the calendar of its library. Pure: no database."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from freehold.local_time import instant, local

from ..libraries.opening import OpenDays
from ..rules.terms import Terms

END_OF_DAY = "23:59"


def due_at(terms: Terms, opening: OpenDays, *, since: datetime, length: int | None = None) -> datetime:
    """The instant by which a loan that begins `since` is due: never on a closed day.

    A loan of days is due at the end of a day there, whatever the clocks did meanwhile; a loan of hours that many hours
    later, moved to the same time of the next open day where that day is closed. A hard due date comes first, until
    it has passed: where it is closed, the last open day before it. length: instead of `terms.period_length`.
    """
    length = terms.period_length if length is None else length
    if terms.period_unit == "hours":
        end = local(since + timedelta(hours=length), opening.zone)
        day, clock = opening.from_day(end.date()), f"{end:%H:%M}"
        found = end if day == end.date() else instant(day, clock, opening.zone)
    else:
        day = opening.from_day(local(since, opening.zone).date() + timedelta(days=length))
        found = instant(day, END_OF_DAY, opening.zone)
    today = local(since, opening.zone).date()
    if terms.hard_due_on is not None and today <= terms.hard_due_on < day:
        last = max(opening.until_day(terms.hard_due_on), today)
        found = instant(last, END_OF_DAY, opening.zone)
    return found.astimezone(since.tzinfo)


def days_late(due: datetime, opening: OpenDays, *, at: datetime) -> int:
    """On how many open days after the one on which it was due the copy was still out."""
    if at <= due:
        return 0
    return opening.count(_day(due, opening), _day(at, opening))


def _day(moment: datetime, opening: OpenDays) -> date:
    return local(moment, opening.zone).date()

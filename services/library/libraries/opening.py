"""Which days a library is open. Pure: no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from freehold import Conflict

# Longer than any library closes between two days on which books can be brought back.
_FURTHEST = 400
_DAY = timedelta(days=1)


class NeverOpen(Conflict):
    """Every day that a loan could be due on is closed."""

    code, title = "library.never_open", "Closed for too long"


@dataclass(frozen=True, slots=True)
class OpenDays:
    """The days of one library. closed_weekdays: 1 is Monday, 7 Sunday. closed: single days."""

    zone: str
    closed_weekdays: frozenset[int] = frozenset()
    closed: frozenset[date] = field(default=frozenset())

    def is_open(self, day: date) -> bool:
        """Whether it is open on that day."""
        return day.isoweekday() not in self.closed_weekdays and day not in self.closed

    def from_day(self, day: date) -> date:
        """The day, or the next one that is open. Raises NeverOpen."""
        return self._look(day, _DAY)

    def until_day(self, day: date) -> date:
        """The day, or the last one before it that is open. Raises NeverOpen."""
        return self._look(day, -_DAY)

    def count(self, after: date, until: date) -> int:
        """How many days it is open, after the first day and up to the last one."""
        return sum(self.is_open(after + _DAY * number) for number in range(1, (until - after).days + 1))

    def _look(self, day: date, step: timedelta) -> date:
        for _ in range(_FURTHEST):
            if self.is_open(day):
                return day
            day += step
        raise NeverOpen("The library is closed on every day on which this could be due.")

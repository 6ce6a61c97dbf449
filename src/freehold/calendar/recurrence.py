"""Recurrence rules of foreign calendars (RFC 5545 3.3.10), for days and longer, by looking at each day once.

Libraries search for the next match, and an impossible rule (30 February) keeps them searching to the year 9999. Here
the days between the first and the last that is asked for are the whole work, and they are counted.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_NUMBERS = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS})
_DAYS = {name: number for number, name in enumerate(("MO", "TU", "WE", "TH", "FR", "SA", "SU"))}
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_LONGEST = 300
_ONE = timedelta(days=1)


class RuleRefused(ValueError):
    """A rule that is not read: unknown, finer than a day, or too much work."""


@dataclass(slots=True)
class Work:
    """How many days may still be looked at for one calendar."""

    left: int

    def take(self, days: int) -> None:
        """Count them. Raises RuleRefused when there are no more."""
        self.left -= days
        if self.left < 0:
            raise RuleRefused("the calendar repeats too much to be read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that was read. by: the numbers of each BY… part; weekdays: (which one, or 0 for each; weekday)."""

    frequency: str
    interval: int
    count: int | None
    until: datetime | None
    week_start: int
    weekdays: frozenset[tuple[int, int]]
    by: dict[str, frozenset[int]]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a rule. Raises RuleRefused."""
        pieces = [piece.split("=", 1) for piece in text.strip().strip(";").upper().split(";")]
        if len(text) > _LONGEST or any(len(piece) < 2 for piece in pieces):
            raise RuleRefused("its rule cannot be read")
        found = {name.strip(): value.strip() for name, value in pieces}
        if found.keys() - _KNOWN or found.get("FREQ") not in _FREQUENCIES:
            raise RuleRefused("it repeats in a way that is not supported")
        try:
            return cls(
                frequency=found["FREQ"],
                interval=_positive(found.get("INTERVAL", "1")),
                count=_positive(found["COUNT"]) if "COUNT" in found else None,
                until=_until(found["UNTIL"]) if "UNTIL" in found else None,
                week_start=_DAYS[found.get("WKST", "MO")],
                weekdays=_weekdays(found.get("BYDAY", "")),
                by={name: _numbers(found[name], most) for name, most in _NUMBERS.items() if name in found},
            )
        except (ValueError, KeyError) as error:
            raise RuleRefused("its rule cannot be read") from error

    def occurrences(self, start: datetime, *, until: datetime, work: Work) -> Iterator[datetime]:
        """From `start`, which is the first in any case, to before `until`; local times. Raises RuleRefused."""
        yield start
        given = 1
        end = until if self.until is None else min(until, self.until + timedelta(seconds=1))
        for days in self._periods(start.date(), end.date(), work):
            for day in self._chosen(days, start.date()):
                moment = datetime.combine(day, start.time())
                if moment <= start:
                    continue
                if moment >= end or (self.count is not None and given >= self.count):
                    return
                given += 1
                yield moment

    def _periods(self, start: date, end: date, work: Work) -> Iterator[list[date]]:
        """The days of each period that the interval leaves."""
        first = self._first_of(start)
        while first <= end:
            after = self._step(first, 1)
            size = (after - first).days
            work.take(size)
            yield [first + _ONE * offset for offset in range(size)]
            first = self._step(first, self.interval)

    def _first_of(self, day: date) -> date:
        match self.frequency:
            case "WEEKLY":
                return day - _ONE * ((day.weekday() - self.week_start) % 7)
            case "MONTHLY":
                return day.replace(day=1)
            case "YEARLY":
                return day.replace(month=1, day=1)
        return day

    def _step(self, first: date, periods: int) -> date:
        try:
            match self.frequency:
                case "DAILY":
                    return first + _ONE * periods
                case "WEEKLY":
                    return first + _ONE * 7 * periods
                case "MONTHLY":
                    months = first.year * 12 + first.month - 1 + periods
                    return date(months // 12, months % 12 + 1, 1)
            return date(first.year + periods, 1, 1)
        except (ValueError, OverflowError):
            raise RuleRefused("it repeats beyond what a calendar can hold") from None

    def _chosen(self, days: list[date], start: date) -> list[date]:
        found = [day for day in days if self._matches(day, start)]
        places = self.by.get("BYSETPOS")
        if places is None:
            return found
        size = len(found)
        return [day for at, day in enumerate(found) if at + 1 in places or at - size in places]

    def _matches(self, day: date, start: date) -> bool:
        by = self.by
        if "BYMONTH" in by and day.month not in by["BYMONTH"]:
            return False
        if "BYMONTHDAY" in by and not _counted(day.day, monthrange(day.year, day.month)[1], by["BYMONTHDAY"]):
            return False
        if "BYYEARDAY" in by and not _counted(day.timetuple().tm_yday, _year(day), by["BYYEARDAY"]):
            return False
        if "BYWEEKNO" in by and not _counted(day.isocalendar().week, _weeks(day), by["BYWEEKNO"]):
            return False
        if self.weekdays:
            return any(self._is_weekday(day, which, weekday) for which, weekday in self.weekdays)
        return self._as_the_first(day, start)

    def _is_weekday(self, day: date, which: int, weekday: int) -> bool:
        if day.weekday() != weekday:
            return False
        if not which or self.frequency in ("DAILY", "WEEKLY"):
            return True
        in_month = self.frequency == "MONTHLY" or "BYMONTH" in self.by
        at = day.day if in_month else day.timetuple().tm_yday
        size = monthrange(day.year, day.month)[1] if in_month else _year(day)
        return (at - 1) // 7 + 1 == which if which > 0 else (size - at) // 7 + 1 == -which

    def _as_the_first(self, day: date, start: date) -> bool:
        """What a rule leaves open is as in the first occurrence."""
        by = self.by
        if "BYMONTHDAY" in by or "BYYEARDAY" in by:
            return True
        if self.frequency == "WEEKLY" or "BYWEEKNO" in by:
            return day.weekday() == start.weekday()
        if self.frequency == "MONTHLY" or (self.frequency == "YEARLY" and "BYMONTH" in by):
            return day.day == start.day
        return self.frequency == "DAILY" or (day.month, day.day) == (start.month, start.day)


def _counted(at: int, size: int, wanted: frozenset[int]) -> bool:
    """Whether a place, from the front or from the back, is wanted."""
    return at in wanted or at - size - 1 in wanted


def _year(day: date) -> int:
    return date(day.year, 12, 31).timetuple().tm_yday


def _weeks(day: date) -> int:
    return date(day.isocalendar().year, 12, 28).isocalendar().week


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 10**6:
        raise ValueError(text)
    return int(text)


def _numbers(text: str, most: int) -> frozenset[int]:
    found = frozenset(int(part) for part in text.split(","))
    if not found or any(not 1 <= abs(number) <= most for number in found):
        raise ValueError(text)
    return found


def _weekdays(text: str) -> frozenset[tuple[int, int]]:
    found = [_WEEKDAY.fullmatch(part) for part in text.split(",") if part]
    if any(each is None for each in found):
        raise ValueError(text)
    return frozenset((int(each[1] or 0), _DAYS[each[2]]) for each in found if each is not None)


def _until(text: str) -> datetime:
    """A day means all of it; the zone of a time is left aside: no real rule ends within an offset of an occurrence."""
    digits = text.removesuffix("Z")
    if "T" not in digits:
        digits += "T235959"
    return datetime.strptime(digits, "%Y%m%dT%H%M%S")  # noqa: DTZ007  # local times throughout

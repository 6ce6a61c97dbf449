"""Foreign calendars: what is understood becomes events, what is not is left out and said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import get_args

from freehold.calendar.events import Event, Status
from freehold.calendar.lines import CalendarRefused, Component, Property, parse
from freehold.calendar.ranges import Range
from freehold.calendar.recurrence import Rule, RuleRefused, Work
from freehold.calendar.zones import Localise, Zones
from freehold.resource import clock

MOST_EVENTS = 10_000
_MOST_PROBLEMS = 100
_MOST_DAYS = 300_000  # looked at for all rules of a calendar: a second or two
_OLDEST_DAYS = 366 * 30
_BEHIND, _AHEAD = timedelta(days=30), timedelta(days=750)
_DURATION = re.compile(r"\+?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?")
_DAY = timedelta(days=1)


class _Skip(Exception):
    """An event that is left out, and why."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a calendar says about `window`. problems: what was left out, a line each, at most 100."""

    events: tuple[Event, ...]
    problems: tuple[str, ...]
    window: Range


@dataclass(frozen=True, slots=True)
class _Start:
    """A start, or another point of an event: a local day or time, and how it becomes an instant."""

    local: datetime
    is_day: bool
    localise: Localise = field(compare=False)

    def at(self, local: datetime) -> date:
        return local.date() if self.is_day else self.localise(local)


def read_calendar(data: bytes, *, zone: str = "UTC", window: Range | None = None) -> Feed:
    """Read an iCalendar document as other systems write it. CPU bound: give it to `asyncio.to_thread`.

    zone: for times that name none. window: of days; what does not overlap it is left out, and recurring events are
    repeated up to its end. Default: from 30 days ago, 750 days ahead. An occurrence of a recurring event has the uid
    `<uid>/20260301` or `<uid>/20260301T100000`. Raises CalendarRefused, and for nothing that is in the data anything
    else.
    """
    today = clock.now().date()
    window = window or Range(today - _BEHIND, today + _AHEAD)
    calendar = parse(data)
    return _Reader(calendar, Zones(calendar, default=zone), window).read()


class _Reader:
    def __init__(self, calendar: Component, zones: Zones, window: Range) -> None:
        self._components = [part for part in calendar.inside if part.name == "VEVENT"]
        method = calendar.first("METHOD")
        self._all_cancelled = method is not None and method.value.strip().upper() == "CANCEL"
        self._zones = zones
        self._window = window
        self._end = datetime.combine(window.end, datetime.min.time()) + _DAY  # a day more, for zones
        self._work = Work(_MOST_DAYS)
        self._problems: list[str] = []
        self._events: dict[str, Event] = {}
        self._moved: dict[str, set[tuple[bool, datetime]]] = {}

    def read(self) -> Feed:
        if len(self._components) > MOST_EVENTS:
            raise CalendarRefused(f"The calendar has more than {MOST_EVENTS} events.")
        # Changed occurrences first: the series they belong to then leaves them out.
        ordered = sorted(self._components, key=lambda part: part.first("RECURRENCE-ID") is None)
        for part in ordered:
            try:
                for event in self._expanded(part):
                    self._keep(event)
            except CalendarRefused:
                raise
            except (_Skip, RuleRefused) as reason:
                self._report(part, str(reason))
            except (ValueError, OverflowError, ArithmeticError):
                self._report(part, "it cannot be read")
        found = sorted(self._events.values(), key=lambda one: (one.during.start.isoformat(), one.uid))
        return Feed(tuple(found), tuple(self._problems), self._window)

    def _report(self, part: Component, reason: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            uid = part.first("UID")
            name = "an event without uid" if uid is None else f"event {_printable(uid.text)[:80]}"
            self._problems.append(f"{name}: {reason}")

    def _keep(self, event: Event) -> None:
        if not self._is_inside(event.during):
            return
        known = self._events.get(event.uid)
        if known is not None and known.sequence > event.sequence:
            return
        self._events[event.uid] = event
        if len(self._events) > MOST_EVENTS:
            raise CalendarRefused(f"The calendar has more than {MOST_EVENTS} events, repeated ones counted.")

    def _is_inside(self, during: Range) -> bool:
        start, end = (edge.date() if isinstance(edge, datetime) else edge for edge in (during.start, during.end))
        return (
            start < self._window.end + _DAY and end >= self._window.start
            if not during.is_days
            else (start < self._window.end and end > self._window.start)
        )

    def _expanded(self, part: Component) -> Iterator[Event]:
        start = self._point(part.first("DTSTART"))
        if start is None:
            raise _Skip("it has no start")
        length = self._length(part, start)
        first = self._event(part, _range(start, start.local, length))
        changed = part.first("RECURRENCE-ID")
        if changed is not None:
            original = self._point(changed)
            assert original is not None
            self._moved.setdefault(first.uid, set()).add((original.is_day, original.local))
            yield replace(first, uid=_occurrence(first.uid, original))
            return
        if not part.all("RRULE") and not part.all("RDATE"):
            yield first
            return
        yield from self._series(part, first, start, length)

    def _series(self, part: Component, first: Event, start: _Start, length: timedelta) -> Iterator[Event]:
        gone = {(point.is_day, point.local) for point in self._points(part, "EXDATE")} | self._moved.get(
            first.uid, set()
        )
        for local in self._locals(part, start, length):
            if (start.is_day, local) not in gone and (True, datetime.combine(local, datetime.min.time())) not in gone:
                one = replace(start, local=local)
                yield replace(first, uid=_occurrence(first.uid, one), during=_range(start, local, length))

    def _locals(self, part: Component, start: _Start, length: timedelta) -> Iterator[datetime]:
        """The local starts of a series that end inside the window."""
        rules = part.all("RRULE")
        if len(rules) > 1:
            raise _Skip("it has several rules")
        begin = datetime.combine(self._window.start, datetime.min.time()) - _DAY - length
        if rules and (self._end - start.local).days > _OLDEST_DAYS:
            raise _Skip("it has been repeating for more than 30 years")
        found = (
            {start.local}
            if not rules
            else Rule.read(rules[0].value).occurrences(start.local, until=self._end, work=self._work)
        )
        for local in found:
            if local >= begin:
                yield local
        for point in self._points(part, "RDATE"):
            if begin <= point.local < self._end:
                yield point.local

    def _event(self, part: Component, during: Range) -> Event:
        uid, summary, status = part.first("UID"), part.first("SUMMARY"), _word(part, "STATUS")
        words = "" if summary is None else _printable(summary.text)[:500]
        name = _printable(uid.text).strip()[:400] if uid is not None else ""
        if not name:
            seed = f"{during.start.isoformat()} {during.end.isoformat()} {words}"
            name = f"no-uid-{sha256(seed.encode()).hexdigest()[:32]}"
        sequence = _word(part, "SEQUENCE")
        return Event(
            uid=name,
            during=during,
            summary=words,
            status="CANCELLED" if self._all_cancelled else _status(status),
            busy=_word(part, "TRANSP") != "TRANSPARENT",
            sequence=int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0,
        )

    def _length(self, part: Component, start: _Start) -> timedelta:
        end, duration = self._point(part.first("DTEND")), part.first("DURATION")
        if end is not None:
            if start.is_day or end.is_day:
                length = datetime.combine(end.local, datetime.min.time()) - datetime.combine(
                    start.local, datetime.min.time()
                )
                # Some write the same day twice for one day.
                length = length or (_DAY if start.is_day else length)
            else:
                # In local time, so that a stay to 10:00 ends at 10:00 in every week of a series.
                length = end.local - start.local
                if end.localise is not start.localise:
                    length = end.localise(end.local) - start.localise(start.local)
        elif duration is not None:
            length = _duration(duration.value)
        else:
            length = _DAY if start.is_day else timedelta(0)
        if length <= timedelta(0):
            raise _Skip("it has no length" if not length else "it ends before it starts")
        return length

    def _points(self, part: Component, name: str) -> Iterator[_Start]:
        for found in part.all(name)[:1000]:
            for value in found.value.split(",")[:1000]:
                point = self._point(Property(value.partition("/")[0], found.parameters))
                if point is not None:
                    yield point

    def _point(self, found: Property | None) -> _Start | None:
        if found is None:
            return None
        text = found.value.strip()
        if found.parameters.get("VALUE", "").upper() == "DATE" or len(text) == 8:
            return _Start(datetime.strptime(text[:8], "%Y%m%d"), True, self._zones.default)  # noqa: DTZ007
        local = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  # its zone is beside it
        if not 1900 < local.year < 9000:
            raise _Skip("its year cannot be")
        if text.endswith("Z"):
            return _Start(local, False, _utc)
        name = found.parameters.get("TZID")
        localise = self._zones.default if name is None else self._zones.find(name)
        if localise is None:
            raise _Skip(f"its time zone {_printable(name or '')[:60]!r} is not known")
        return _Start(local, False, localise)


def _utc(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)


def _range(start: _Start, local: datetime, length: timedelta) -> Range:
    return Range(start.at(local), start.at(local + (length if not start.is_day else max(length, _DAY))))


def _occurrence(uid: str, start: _Start) -> str:
    return f"{uid}/{start.local:%Y%m%d}" if start.is_day else f"{uid}/{start.local:%Y%m%dT%H%M%S}"


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None:
        raise _Skip("its duration cannot be read")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _word(part: Component, name: str) -> str:
    found = part.first(name)
    return "" if found is None else found.value.strip().upper()


def _status(text: str) -> Status:
    for known in get_args(Status):
        if text == known:
            return known  # type: ignore[no-any-return]
    return "CONFIRMED"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)

"""What a time zone name in a foreign calendar means: IANA, a name of Windows, or one that the file defines itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from freehold.calendar.lines import Component
from freehold.calendar.recurrence import Rule, RuleRefused, Work

Localise = Callable[[datetime], datetime]
"""From a local time without a zone to the instant, in UTC."""

_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?")
_ONSETS_UNTIL = datetime(2060, 1, 1)  # noqa: DTZ001  # local times throughout
_EARLIEST = 1970  # what lies before says nothing of today


class Zones:
    """The zones of one calendar. default: for times that name none, and for names that nobody knows."""

    def __init__(self, calendar: Component, *, default: str) -> None:
        self.default = _of(ZoneInfo(default))
        self._known: dict[str, Localise | None] = {}
        self._defined = {
            name.value: part
            for part in calendar.inside[:100]
            if part.name == "VTIMEZONE" and (name := part.first("TZID")) is not None
        }

    def find(self, name: str) -> Localise | None:
        """The meaning of a name; None where it has none."""
        if name not in self._known:
            self._known[name] = self._look(name)
        return self._known[name]

    def _look(self, name: str) -> Localise | None:
        # Some programs write "/example.com/20260101/Europe/Berlin": the end of it is the name.
        parts = name.strip("/").split("/")
        tails = ["/".join(parts[at:]) for at in range(min(len(parts), 6))]
        for candidate in (name, *tails):
            try:
                return _of(ZoneInfo(candidate))
            except (ValueError, OSError, KeyError):
                continue
        of_windows = _of_windows(name)
        if of_windows is not None:
            return _of(ZoneInfo(of_windows))
        defined = self._defined.get(name)
        return None if defined is None else _custom(defined)


def _of_windows(name: str) -> str | None:
    """The IANA name of a zone that Windows calls so. Not imported before: icalendar takes as long to load as half of a service."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415

    return WINDOWS_TO_OLSON.get(name)


def _of(zone: ZoneInfo) -> Localise:
    # fold=0: in a gap the offset from before it, of two equal times the first.
    return lambda local: local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _custom(defined: Component) -> Localise | None:
    """From the observances of a VTIMEZONE."""
    location = defined.first("X-LIC-LOCATION")
    if location is not None:
        try:
            return _of(ZoneInfo(location.value))
        except (ValueError, OSError, KeyError):
            pass
    onsets: list[tuple[datetime, timedelta]] = []
    before: timedelta | None = None
    for part in defined.inside[:20]:
        start, to, fro = part.first("DTSTART"), part.first("TZOFFSETTO"), part.first("TZOFFSETFROM")
        offset = None if to is None else _offset(to.value)
        if start is None or offset is None:
            continue
        if before is None and fro is not None:
            before = _offset(fro.value)
        onsets += [(moment, offset) for moment in _onsets(part, start.value)]
    if not onsets:
        return None
    onsets.sort()
    moments = [moment for moment, _ in onsets]
    first = onsets[0][1] if before is None else before

    def localise(local: datetime) -> datetime:
        at = bisect_right(moments, local)
        return (local - (onsets[at - 1][1] if at else first)).replace(tzinfo=UTC)

    return localise


def _onsets(part: Component, text: str) -> list[datetime]:
    try:
        start = datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  # local time
    except ValueError:
        return []
    rule = part.first("RRULE")
    if rule is None:
        return [start]
    try:
        start = start.replace(year=max(start.year, _EARLIEST))
        return list(Rule.read(rule.value).occurrences(start, until=_ONSETS_UNTIL, work=Work(40_000)))
    except (RuleRefused, ValueError):
        return [start]


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return None if size >= timedelta(hours=24) else size if found[1] == "+" else -size

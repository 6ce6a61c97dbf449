"""Events to an iCalendar document (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from freehold.calendar.events import Event
from freehold.errors import ConfigurationError

try:
    import icalendar
except ImportError:
    raise ConfigurationError('calendars need the package icalendar: pip install "freehold[calendar]"') from None

if TYPE_CHECKING:
    from freehold.calendar.ranges import Range


def write_calendar(events: Iterable[Event], *, name: str = "", product: str = "Freehold") -> bytes:
    """The document: sorted, folded, escaped, with the zones that it uses; the same bytes for the same events.

    Raises ValueError for an event without a stamp: with the time of writing instead, each copy would differ.
    """
    ordered = sorted(events, key=lambda one: (one.during.start.isoformat(), one.uid))
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{' '.join(_plain(product).split())}//Freehold//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("x-wr-calname", " ".join(_plain(name).split()))
    for zone, years in _zones(ordered).items():
        calendar.add_component(_timezone(zone, *years))
    for event in ordered:
        calendar.add_component(_event(event))
    written: bytes = calendar.to_ical()
    return written


def _event(event: Event) -> icalendar.Event:
    if event.stamp is None:
        raise ValueError(f"event {event.uid!r} has no stamp: give it the time at which its row last changed")
    made = icalendar.Event()
    made.add("uid", event.uid)
    made.add("dtstamp", event.stamp.astimezone(UTC))
    made.add("last-modified", event.stamp.astimezone(UTC))
    made.add("sequence", event.sequence)
    made.add("dtstart", _edge(event, event.during.start))
    made.add("dtend", _edge(event, event.during.end))
    made.add("summary", _plain(event.summary))
    made.add("status", event.status)
    made.add("transp", "OPAQUE" if event.busy else "TRANSPARENT")
    return made


def _edge(event: Event, edge: date) -> date:
    if not isinstance(edge, datetime):
        return edge
    return edge.astimezone(UTC if event.zone is None else ZoneInfo(event.zone))


def _plain(text: str) -> str:
    """Without control characters, which no escape can carry (RFC 5545 3.1)."""
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())


def _zones(events: Sequence[Event]) -> dict[str, tuple[int, int]]:
    """The zones that are used, with the years from the first event to after the last."""
    found: dict[str, tuple[int, int]] = {}
    for event in events:
        if event.zone is None or event.during.is_days:
            continue
        first, last = _years(event.during)
        known = found.get(event.zone, (first, last))
        found[event.zone] = min(known[0], first), max(known[1], last)
    return found


def _years(during: Range) -> tuple[int, int]:
    return during.start.year - 1, during.end.year + 1


@lru_cache(maxsize=64)
def _timezone(zone: str, first: int, last: int) -> icalendar.Timezone:
    return icalendar.Timezone.from_tzinfo(ZoneInfo(zone), zone, date(first, 1, 1), date(last, 12, 31))

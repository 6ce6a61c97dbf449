"""Calendars: half-open ranges, iCalendar out and in, and an import that can be repeated.

Pure: no database, no network. Which stays or slots there are, and who may read their calendar, belongs to the feature;
`freehold.traffic.fetch` gets a foreign one.
"""

from typing import TYPE_CHECKING, Any

from freehold.calendar.events import Calendar, Event, Status
from freehold.calendar.importing import ImportPlan, KnownEvent, plan_import
from freehold.calendar.lines import CalendarRefused
from freehold.calendar.ranges import Range

if TYPE_CHECKING:
    from freehold.calendar.reading import Feed, read_calendar
    from freehold.calendar.writing import write_calendar

__all__ = [
    "Calendar",
    "CalendarRefused",
    "Event",
    "Feed",
    "ImportPlan",
    "KnownEvent",
    "Range",
    "Status",
    "plan_import",
    "read_calendar",
    "write_calendar",
]

_WITH_ICALENDAR = {
    "Feed": "freehold.calendar.reading",
    "read_calendar": "freehold.calendar.reading",
    "write_calendar": "freehold.calendar.writing",
}


def __getattr__(name: str) -> Any:
    """What needs the extra `calendar` is imported when it is first asked for."""
    if name not in _WITH_ICALENDAR:
        raise AttributeError(name)
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_WITH_ICALENDAR[name]), name)

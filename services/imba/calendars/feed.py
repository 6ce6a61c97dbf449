"""The calendar of a property for programs elsewhere: busy ranges, and nothing of whose they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freehold import Principal, Session
from freehold.calendar import Calendar, Event, Range

from ..blocks import crud as blocks
from ..local_time import today

BEHIND, AHEAD = timedelta(days=30), timedelta(days=750)


async def busy_calendar(db: Session, actor: Principal, listing: Any) -> Calendar:
    """When the property is taken, from a month back to two years ahead.

    Ranges that meet are one, so that it cannot be told how many stays they are. A range is known by its first day,
    which no other has; its stamp is the listing's, so that the same ranges are the same bytes.
    """
    day = today(listing.time_zone)
    busy = await blocks.taken(db, listing.id, day - BEHIND, day + AHEAD)
    events = [
        Event(
            uid=f"{start:%Y%m%d}-{listing.id}@imba",
            during=Range(start, end),
            summary="Reserved",
            stamp=listing.created_at,
        )
        for start, end in busy
    ]
    return Calendar(events, name=listing.title, product="Imba")

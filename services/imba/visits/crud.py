"""The visiting hours of a property, and which of its slots are free."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freehold import Principal, Session
from freehold.local_time import instant, local, today

from ..reservations import crud as reservations
from .opening import DURATION, hours_of, starts
from .schemas import Look, Slot, Slots, VisitingHours

LOOK_DAYS = 7


async def get_hours(db: Session, actor: Principal, listing: Any) -> VisitingHours:
    """When the property may be visited."""
    return hours_of(listing)


async def put_hours(db: Session, actor: Principal, listing: Any, hours: VisitingHours) -> VisitingHours:
    """Open the property to visits at other hours from now on. What is agreed stays."""
    listing.visiting_hours = hours.model_dump(mode="json")
    return hours


async def slots(db: Session, actor: Principal, listing: Any, look: Look) -> Slots:
    """The free times for a visit, without telling by whom the others are taken."""
    hours, zone = hours_of(listing), listing.time_zone
    since = look.since or today(zone)
    until = look.until or since + timedelta(days=LOOK_DAYS)
    reach = timedelta(minutes=hours.buffer_minutes)
    busy = await reservations.visits_between(
        db, listing.id, instant(since, "00:00", zone), instant(until, "00:00", zone) + reach
    )
    free = [
        Slot(starts_at=start, ends_at=start + DURATION, local_start=local(start, zone))
        for start in starts(hours, zone, since, until)
        if not any(taken < start + DURATION + reach and start < clear for taken, clear in busy)
    ]
    return Slots(property_id=listing.id, time_zone=zone, start=since, end=until, slots=free)

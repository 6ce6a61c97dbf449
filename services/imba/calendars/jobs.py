"""The import of a calendar. It can be repeated: a second run of the same calendar changes nothing."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID

from freehold import Session, job
from freehold.calendar import CalendarRefused, Event, Feed, Range, read_calendar
from freehold.fields import now
from freehold.jobs import progress, running

from ..blocks import crud as blocks
from ..blocks.crud import ImportedNights
from ..local_time import local
from ..properties import crud as properties
from .models import Calendar

BEHIND, AHEAD = timedelta(days=30), timedelta(days=750)


@job("imba.sync_calendar", tracked=True, outside=True)
async def sync_calendar(db: Session, *, calendar_id: UUID) -> dict[str, int]:
    """Read the calendar, and take the nights that its events name. One that cannot be read leaves what it took."""
    calendar = await db.get(Calendar, calendar_id)
    if calendar is None:
        return {}
    zone = (await properties.known(db, calendar.property_id)).time_zone
    window = Range(now().date() - BEHIND, now().date() + AHEAD)
    progress(0, 2, note="Reading")
    try:
        feed = await asyncio.to_thread(read_calendar, calendar.file.encode(), zone=zone, window=window)
    except CalendarRefused as refused:
        await _note_failure(calendar_id, str(refused))
        return {"failed": 1}
    progress(1, 2, note="Taking nights")
    return await _take(calendar_id, feed, window, zone)


async def _take(calendar_id: UUID, feed: Feed, window: Range, zone: str) -> dict[str, int]:
    async with running().writing() as db, db.unscoped("an import takes nights at the property") as system_db:
        calendar = await system_db.get(Calendar, calendar_id, with_for_update=True)
        if calendar is None:
            return {}
        await properties.lock(system_db, calendar.property_id)
        wanted = [nights_of(event, zone) for event in feed.events if event.blocks]
        counts = await blocks.replace_imported(
            system_db, calendar.id, calendar.property_id, wanted, since=window.start, until=window.end
        )
        calendar.status, calendar.failure = "synced", None
        calendar.events, calendar.synced_at = len(wanted), now()
        return counts | {"left_out": len(feed.problems)}


async def _note_failure(calendar_id: UUID, reason: str) -> None:
    async with running().writing() as db, db.unscoped("an import says why it failed") as system_db:
        calendar = await system_db.get(Calendar, calendar_id, with_for_update=True)
        if calendar is not None:
            calendar.status, calendar.failure = "failed", reason[:500]


def nights_of(event: Event, zone: str) -> ImportedNights:
    """The nights that an event takes: its days, or those from its local start up to its local end, one at least."""
    start, end = _day(event.during.start, zone), _day(event.during.end, zone)
    return ImportedNights(event.uid, start, max(end, start + timedelta(days=1)))


def _day(moment: date | datetime, zone: str) -> date:
    return local(moment, zone).date() if isinstance(moment, datetime) else moment

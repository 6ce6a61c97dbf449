"""The import of a calendar. It can be repeated: a second run of the same calendar changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from freehold import Session, job, schedule
from freehold.calendar import CalendarRefused, Event, Feed, Range, read_calendar
from freehold.fields import now
from freehold.jobs import progress, running
from freehold.local_time import local
from freehold.traffic import Fetcher, FetchFailed
from freehold.wording import paragraphs, phrase

from ..blocks import crud as blocks
from ..blocks.crud import ImportedNights
from ..notices import crud as notices
from ..properties import crud as properties
from .feed import AHEAD, BEHIND, OWN
from .models import Calendar
from .schemas import LARGEST_FILE

AGAIN = timedelta(minutes=30)
LONGEST_PAUSE = timedelta(hours=24)
PATIENCE = 3  # imports in a row that fail before the landlord is told, if it ever went well


@dataclass(frozen=True, slots=True)
class _Source:
    """What a calendar holds now. validators: what the address calls this version. unchanged: as when it was read last."""

    text: str
    validators: Mapping[str, str | None]
    unchanged: bool = False


@schedule("imba.sync_due_calendars", every=timedelta(minutes=1))
@job("imba.sync_due_calendars")
async def sync_due_calendars(db: Session) -> None:
    """Have the calendars asked whose time has come. At most 200 at a time."""
    due = select(Calendar.id).where(Calendar.next_sync_at <= now()).order_by(Calendar.next_sync_at).limit(200)
    for calendar in await db.scalars(select(Calendar).where(Calendar.id.in_(due)).with_for_update(skip_locked=True)):
        calendar.next_sync_at = now() + AGAIN  # the import says so again when it is done
        await sync_calendar.enqueue(db, calendar_id=calendar.id, key=str(calendar.id))


# Two at a time: an address that is slow to answer takes no other job's place.
@job("imba.sync_calendar", tracked=True, outside=True, at_once=2)
async def sync_calendar(db: Session, *, calendar_id: UUID) -> dict[str, int]:
    """Read the calendar, and take the nights that its events name. One that cannot be read leaves what it took."""
    calendar = await db.get(Calendar, calendar_id)
    if calendar is None:
        return {}
    zone = (await properties.known(db, calendar.property_id)).time_zone
    window = Range(now().date() - BEHIND, now().date() + AHEAD)
    progress(0, 2, note="Reading")
    try:
        source = await _source(calendar)
        if source.unchanged and calendar.synced_at is not None and calendar.synced_at.date() == now().date():
            return await _note_unchanged(calendar_id)
        feed = await asyncio.to_thread(read_calendar, source.text.encode(), zone=zone, window=window)
    except (CalendarRefused, FetchFailed) as refused:
        await _note_failure(calendar_id, str(refused))
        return {"failed": 1}
    progress(1, 2, note="Taking nights")
    return await _take(calendar_id, source, feed, window, zone)


async def _source(calendar: Calendar) -> _Source:
    """The text of a calendar, fetched where it has an address. Raises FetchFailed.

    It is read again though nothing has changed once a day: the days that it is read for move on.
    """
    if calendar.url is None:
        return _Source(calendar.file or "", {})
    known = {"If-None-Match": calendar.etag, "If-Modified-Since": calendar.last_modified} if calendar.file else {}
    asked = {"Accept": "text/calendar, text/plain;q=0.5"} | {name: word for name, word in known.items() if word}
    got = (
        await running()
        .part(Fetcher)
        .fetch(calendar.url, headers=asked, limit_bytes=LARGEST_FILE, timeout_seconds=20, redirects=3)
    )
    if got.status == 304 and calendar.file:
        return _Source(calendar.file, {"etag": calendar.etag, "last_modified": calendar.last_modified}, unchanged=True)
    if got.status != 200:
        raise FetchFailed(f"The address answers with status {got.status}.")
    named = {"etag": got.headers.get("etag"), "last_modified": got.headers.get("last-modified")}
    # One too long to be kept is left out: the address is then asked without it.
    return _Source(_text(got.body), {name: word if word and len(word) <= 200 else None for name, word in named.items()})


def _text(body: bytes) -> str:
    return body.decode("utf-8-sig", errors="replace").replace("\0", "")


async def _take(calendar_id: UUID, source: _Source, feed: Feed, window: Range, zone: str) -> dict[str, int]:
    async with running().writing() as db, db.unscoped("an import takes nights at the property") as system_db:
        calendar = await system_db.get(Calendar, calendar_id, with_for_update=True)
        if calendar is None:
            return {}
        await properties.lock(system_db, calendar.property_id)
        # What we gave out ourselves comes back from some sites: it is taken here already.
        own = f"{calendar.property_id}{OWN}"
        wanted = [nights_of(event, zone) for event in feed.events if event.blocks and not event.uid.endswith(own)]
        counts = await blocks.replace_imported(
            system_db, calendar.id, calendar.property_id, wanted, since=window.start, until=window.end
        )
        calendar.events, calendar.file = len(wanted), source.text
        for name, word in source.validators.items():
            setattr(calendar, name, word)
        _went_well(calendar)
        return counts | {"left_out": len(feed.problems)}


async def _note_unchanged(calendar_id: UUID) -> dict[str, int]:
    async with running().writing() as db, db.unscoped("an import says that nothing has changed") as system_db:
        calendar = await system_db.get(Calendar, calendar_id, with_for_update=True)
        if calendar is not None:
            _went_well(calendar)
    return {"inserted": 0, "deleted": 0, "unchanged": calendar.events if calendar else 0, "left_out": 0}


def _went_well(calendar: Calendar) -> None:
    calendar.status, calendar.failure, calendar.failures = "synced", None, 0
    calendar.synced_at = now()
    calendar.next_sync_at = None if calendar.url is None else now() + AGAIN


async def _note_failure(calendar_id: UUID, reason: str) -> None:
    async with running().writing() as db, db.unscoped("an import says why it failed") as system_db:
        calendar = await system_db.get(Calendar, calendar_id, with_for_update=True)
        if calendar is None:
            return
        calendar.status, calendar.failure = "failed", reason[:500]
        calendar.failures += 1
        if calendar.url is not None:
            calendar.next_sync_at = now() + min(AGAIN * 2 ** min(calendar.failures, 10), LONGEST_PAUSE)
        if calendar.failures == (1 if calendar.synced_at is None else PATIENCE):
            await _tell(system_db, calendar)


async def _tell(db: Session, calendar: Calendar) -> None:
    listing = await properties.known(db, calendar.property_id)
    kept = (
        phrase("The nights that it took before stay taken.")
        if calendar.synced_at
        else phrase("It takes no nights so far.")
    )
    await notices.notify(
        db,
        listing.landlord_id,
        kind="calendar",
        subject=phrase("A calendar of {title} cannot be imported", title=listing.title),
        text=paragraphs(f"{calendar.name or calendar.url or calendar.id}: {calendar.failure}", kept),
        link=f"/v1/calendars/{calendar.id}",
    )


def nights_of(event: Event, zone: str) -> ImportedNights:
    """The nights that an event takes: its days, or those from its local start up to its local end, one at least."""
    start, end = _day(event.during.start, zone), _day(event.during.end, zone)
    return ImportedNights(event.uid, start, max(end, start + timedelta(days=1)))


def _day(moment: date | datetime, zone: str) -> date:
    return local(moment, zone).date() if isinstance(moment, datetime) else moment

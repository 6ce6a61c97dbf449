"""The calendar of a property for programs elsewhere: busy ranges, and nothing of whose they are."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from freehold import NotFound, Principal, Session
from freehold.calendar import Calendar as Document
from freehold.calendar import Event, Range
from freehold.local_time import today

from ..blocks import crud as blocks
from ..properties import crud as properties
from .models import CalendarFeed
from .schemas import FeedAddress

BEHIND, AHEAD = timedelta(days=30), timedelta(days=750)
OWN = "@imba"  # ends the uids of what we give out


async def busy_calendar(db: Session, actor: Principal, listing: Any) -> Document:
    """When the property is taken, from a month back to two years ahead."""
    return await _document(db, listing, imported=True)


async def secret_calendar(db: Session, token: str) -> Document:
    """What is booked and kept here, for the other sites that the property is offered on. Raises NotFound.

    Without what was imported: sites that read each other would give each other the same nights back for ever.
    """
    async with db.unscoped("whoever knows the secret address may read when a property is taken") as system_db:
        feed = await _at(system_db, CalendarFeed.token == token)
        listing = await properties.known(system_db, feed.property_id) if feed is not None else None
        if listing is None or listing.deleted_at is not None:
            raise NotFound
        return await _document(system_db, listing, imported=False)


async def address(db: Session, actor: Principal, listing: Any) -> FeedAddress:
    """The secret address of the property's calendar, where one was made."""
    async with db.unscoped("the landlord's own secret address") as system_db:
        feed = await _at(system_db, CalendarFeed.property_id == listing.id)
    return FeedAddress(path=None, since=None) if feed is None else _shown(feed)


async def rotate(db: Session, actor: Principal, listing: Any) -> FeedAddress:
    """Make the secret address, or another in its place: the former shows nothing from the commit on."""
    async with db.unscoped("the landlord's own secret address") as system_db:
        await properties.lock(system_db, listing.id)
        former = await _at(system_db, CalendarFeed.property_id == listing.id)
        if former is not None:
            await system_db.delete(former)
            await system_db.flush()
        feed = CalendarFeed(property_id=listing.id, token=_new_token())
        system_db.add(feed)
        await system_db.flush()
        return _shown(feed)


async def close(db: Session, actor: Principal, listing: Any) -> None:
    """Give the calendar out no more. Without effect where it is not."""
    async with db.unscoped("the landlord's own secret address") as system_db:
        feed = await _at(system_db, CalendarFeed.property_id == listing.id)
        if feed is not None:
            await system_db.delete(feed)


def _new_token() -> str:
    return secrets.token_urlsafe(32)


async def _at(db: Session, condition: ColumnElement[bool]) -> CalendarFeed | None:
    return (await db.scalars(select(CalendarFeed).where(condition))).one_or_none()


def _shown(feed: CalendarFeed) -> FeedAddress:
    return FeedAddress(path=f"/v1/calendar-feeds/{feed.token}.ics", since=feed.created_at)


async def _document(db: Session, listing: Any, *, imported: bool) -> Document:
    """Ranges that meet are one, so that it cannot be told how many stays they are.

    A range is known by its first day, which no other has; its stamp is the listing's, so that the same ranges are the
    same bytes.
    """
    day = today(listing.time_zone)
    busy = await blocks.taken(db, listing.id, day - BEHIND, day + AHEAD, imported=imported)
    events = [
        Event(
            uid=f"{start:%Y%m%d}-{listing.id}{OWN}",
            during=Range(start, end),
            summary="Reserved",
            stamp=listing.created_at,
        )
        for start, end in busy
    ]
    return Document(events, name=listing.title, product="Imba")

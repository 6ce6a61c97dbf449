"""Calendars kept elsewhere: named, imported, and forgotten with the nights that they took."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from freehold import Invalid, Principal, Session, system
from freehold.errors import FieldError
from freehold.fields import now
from freehold.store import Database
from freehold.traffic import AddressRefused, Fetcher

from ..blocks import crud as blocks
from ..properties import crud as properties
from .jobs import sync_calendar
from .models import Calendar, CalendarFeed
from .schemas import CalendarDraft, CalendarRead


async def require_public(database: Database, actor: Principal, draft: CalendarDraft) -> None:
    """Refuse an address that leads inside, itself or by what its name stands for."""
    if draft.url is None:
        return
    try:
        await database.parts[Fetcher].check_name(draft.url)
    except AddressRefused as refused:
        wrong = FieldError("address_refused", str(refused), pointer="/url")
        raise Invalid("The calendar cannot be fetched from there.", errors=[wrong]) from None


async def add(db: Session, actor: Principal, draft: CalendarDraft) -> Calendar:
    """Take on a calendar, and import it soon."""
    properties.require_managed(await properties.held(db, draft.property_id), actor)
    calendar = Calendar(**draft.model_dump())
    if draft.url is not None:
        calendar.next_sync_at = now()
    db.add(calendar)
    await db.flush()
    await sync_calendar.enqueue(db, calendar_id=calendar.id)
    return calendar


async def sync(db: Session, actor: Principal, calendar: Calendar) -> UUID:
    """Import it once more; the job can be followed."""
    return await sync_calendar.enqueue(db, calendar_id=calendar.id)


async def remove(db: Session, actor: Principal, calendar: Calendar) -> None:
    """Forget a calendar, and free the nights that it took."""
    await blocks.forget_imported(db, calendar.id)
    await db.delete(calendar)


async def held_about(db: Session, landlord_id: UUID) -> list[dict[str, Any]]:
    """The calendars that a landlord has named, for an export. For a session in system scope."""
    named = select(Calendar).where(Calendar.property_id.in_(properties.ids_of(landlord_id))).order_by(Calendar.id)
    return [CalendarRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(named)]


async def erase(db: Session, landlord_id: UUID) -> None:
    """Ask no more for the calendars of somebody who leaves, nor give theirs out. For a session in system scope."""
    own = properties.ids_of(landlord_id)
    for calendar in await db.scalars(select(Calendar).where(Calendar.property_id.in_(own))):
        await remove(db, system("a landlord leaves"), calendar)
    await db.execute(delete(CalendarFeed).where(CalendarFeed.property_id.in_(own)))

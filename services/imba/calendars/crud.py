"""Calendars kept elsewhere: named, imported, and forgotten with the nights that they took."""

from __future__ import annotations

from uuid import UUID

from freehold import Principal, Session

from ..blocks import crud as blocks
from ..properties import crud as properties
from .jobs import sync_calendar
from .models import Calendar
from .schemas import CalendarDraft


async def add(db: Session, actor: Principal, draft: CalendarDraft) -> Calendar:
    """Take on a calendar, and import it soon."""
    properties.require_own(await properties.held(db, draft.property_id), actor)
    calendar = Calendar(**draft.model_dump())
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

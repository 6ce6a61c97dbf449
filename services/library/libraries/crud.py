"""What other features ask of libraries."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from freehold import Session

from ..fields import unknown
from ..settings import LibrarySettings
from .models import ClosedDay, Library
from .opening import OpenDays

# Of the library that is there without anybody having made one, so that two who need it at once make the same.
MAIN = UUID("00000000-0000-7000-8000-000000000001")


async def main(db: Session) -> UUID:
    """The library that is meant where none is named; made on first use. For a session in system scope."""
    if await db.get(Library, MAIN) is not None:
        return MAIN
    settings = db.part(LibrarySettings)
    made = Library(id=MAIN, name=settings.name, time_zone=settings.time_zone, currency=settings.currency)
    try:
        async with db.begin_nested():
            db.add(made)
            await db.flush()
    except IntegrityError:  # somebody else was first, at this moment
        pass
    return MAIN


async def get(db: Session, library_id: UUID) -> Library:
    """The library. Raises Invalid where there is none of this id."""
    found = await db.get(Library, library_id)
    if found is None:
        raise unknown("library_id")
    return found


async def open_days(db: Session, library_id: UUID, *, since: date) -> OpenDays:
    """When the library is open, from a few days before `since`."""
    library = await get(db, library_id)
    closed = select(ClosedDay.day).where(
        ClosedDay.library_id == library_id, ClosedDay.day >= since - timedelta(days=60)
    )
    return OpenDays(library.time_zone, frozenset(library.closed_weekdays), frozenset(await db.scalars(closed)))

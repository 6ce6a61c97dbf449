"""The queue of a title. Everything here is called under the title's lock, in a session in system scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update

from freehold import Session
from freehold.fields import now
from freehold.local_time import instant

from ..copies import crud as copies
from ..libraries import crud as libraries
from ..notices import crud as notices
from .models import OPEN, Hold


async def length(db: Session, book_id: UUID) -> int:
    """How many wait for a copy of the title."""
    waiting = select(func.count()).where(Hold.book_id == book_id, Hold.status == "waiting")
    return (await db.execute(waiting)).scalar_one()


async def join(db: Session, hold: Hold) -> None:
    """Take the last place."""
    hold.position = await length(db, hold.book_id) + 1
    db.add(hold)
    await db.flush()


async def is_awaited(db: Session, copy: Any) -> bool:
    """Whether somebody waits whom this copy could serve."""
    return (await db.scalars(select(Hold.id).where(*_served_by(copy)).limit(1))).first() is not None


async def offer(db: Session, copy: Any) -> Hold | None:
    """What becomes of a copy that is free where it is: set aside for whoever is next, sent to them, or on the shelf."""
    first = select(Hold).where(*_served_by(copy)).order_by(Hold.position).limit(1).with_for_update()
    hold = (await db.scalars(first, execution_options={"populate_existing": True})).first()
    if hold is None:
        copy.status = "available"
        return None
    await assign(db, hold, copy)
    return hold


async def assign(db: Session, hold: Hold, copy: Any) -> None:
    """Set the copy aside for a hold that is first in the queue, or was never in it."""
    await leave(db, hold)
    hold.copy_id = copy.id
    if hold.pickup_id == copy.library_id:
        await set_aside(db, hold, copy)
    else:
        hold.status = copy.status = "in_transit"
        copy.library_id = hold.pickup_id


async def set_aside(db: Session, hold: Hold, copy: Any) -> None:
    """The copy is where it will be fetched: keep it there for some open days, and say so."""
    moment = now()
    opening = await libraries.open_days(db, hold.pickup_id, since=moment.date())
    last = opening.from_day(moment.date() + timedelta(days=hold.pickup_days))
    hold.status, copy.status = "ready", "on_hold"
    hold.ready_at, hold.expires_at = moment, instant(last, "24:00", opening.zone)
    await db.flush()
    await notices.tell_of_hold(db, hold.patron_id, hold.id, hold.book_id, until=last)


async def set_aside_for(db: Session, copy_id: UUID) -> Hold | None:
    """The open hold that a copy is set aside for, or on its way to."""
    return (await db.scalars(select(Hold).where(Hold.copy_id == copy_id, Hold.status.in_(OPEN)))).one_or_none()


async def ready_for(db: Session, book_id: UUID, patron_id: UUID) -> Hold | None:
    """The hold of this patron for which a copy of the title is ready."""
    mine = select(Hold).where(Hold.book_id == book_id, Hold.patron_id == patron_id, Hold.status == "ready")
    return (await db.scalars(mine.order_by(Hold.ready_at).limit(1))).first()


async def fulfil(db: Session, book_id: UUID, patron_id: UUID, copy_id: UUID) -> None:
    """The patron has borrowed this copy: what they held of the title is done with.

    Their own copy that was set aside, where they took another, is offered to whoever is next.
    """
    mine = select(Hold).where(Hold.book_id == book_id, Hold.patron_id == patron_id, Hold.status.in_(OPEN))
    for hold in await db.scalars(mine.order_by(Hold.id)):
        if hold.wanted_copy_id not in (None, copy_id):
            continue
        spare_id = hold.copy_id if hold.copy_id != copy_id else None
        await leave(db, hold)
        hold.status, hold.copy_id = "fulfilled", copy_id
        if spare_id is not None:
            await db.flush()
            await release(db, await copies.get(db, spare_id))


async def release(db: Session, copy: Any) -> None:
    """A copy that was kept for somebody is free again; one on its way is offered when it arrives."""
    if copy.status == "on_hold":
        await offer(db, copy)


async def leave(db: Session, hold: Hold) -> None:
    """Take a hold out of the queue; those behind it move up. No new version of theirs: only their place changed."""
    if hold.position is None:
        return
    behind = update(Hold).where(Hold.book_id == hold.book_id, Hold.position > hold.position)
    hold.position = None
    await db.flush()
    await db.execute(behind.values(position=Hold.position - 1, updated_at=Hold.updated_at))


def _served_by(copy: Any) -> tuple[ColumnElement[bool], ...]:
    wanted = or_(Hold.wanted_copy_id.is_(None), Hold.wanted_copy_id == copy.id)
    return (Hold.book_id == copy.book_id, Hold.status == "waiting", wanted)


async def put_first(db: Session, hold: Hold) -> None:
    """The copy that was set aside cannot be had: its patron is next again. Those who wait move back."""
    waiting = update(Hold).where(Hold.book_id == hold.book_id, Hold.status == "waiting")
    await db.execute(waiting.values(position=Hold.position + 1, updated_at=Hold.updated_at))
    hold.status, hold.position, hold.copy_id, hold.ready_at, hold.expires_at = "waiting", 1, None, None, None
    await db.flush()

"""Holds: placed, given up, run out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold import Conflict, Principal, Session
from freehold.fields import now
from freehold.wording import phrase

from ..books import turns as books
from ..copies import crud as copies
from ..fines import crud as fines
from ..libraries import crud as libraries
from ..loans import crud as loans
from ..notices import crud as notices
from ..patrons import crud as patrons
from ..rules import crud as rules
from . import queue
from .models import OPEN, Hold
from .schemas import HoldDraft, HoldRead

BATCH = 200


class NotHoldable(Conflict):
    """The title or copy cannot be held; `code` says why."""

    code, title = "library.not_holdable", "Not to be held"


async def place(db: Session, actor: Principal, draft: HoldDraft) -> Hold:
    """Take the last place in the queue of a title; a copy on the shelf, where the rules allow that, is set aside at once.

    Over the limits of the rules `library.hold_limit` and `library.held_already` refuse (409).
    """
    patron_id = draft.patron_id or actor.id
    assert patron_id is not None
    async with db.unscoped("the queue of a title is known to the library alone") as system_db:
        book_id = draft.book_id or await copies.book_of(system_db, draft.copy_id)
        await books.lock(system_db, book_id)
        patron = await patrons.lock(system_db, patron_id)
        owed = await fines.owed(system_db, patron_id)
        patrons.require_good_standing(system_db, patron, owed=owed, today=now().date())
        if await loans.has_open(system_db, book_id, patron_id):
            raise NotHoldable("You have this title now.", code="library.on_loan_to_you")
        model = await (
            copies.any_of(system_db, book_id) if draft.copy_id is None else copies.get(system_db, draft.copy_id)
        )
        if model is None:
            raise NotHoldable("There is no copy of this title.")
        pickup_id = draft.pickup_id or await libraries.main(system_db)
        terms = await rules.terms(system_db, library_id=pickup_id, category=patron.category, item_type=model.item_type)
        if draft.copy_id is not None and not terms.item_level_holds:
            raise NotHoldable("Hold the title: single copies are not held here.", code="library.no_item_holds")
        free = await _free(system_db, book_id, draft.copy_id)
        if free is not None and not terms.on_shelf_holds:
            raise NotHoldable("A copy is on the shelf: come and take it.", code="library.on_shelf")
        hold = Hold(
            book_id=book_id,
            patron_id=patron_id,
            wanted_copy_id=draft.copy_id,
            pickup_id=pickup_id,
            pickup_days=terms.pickup_days,
            hold_limit=terms.hold_limit,
            record_limit=terms.holds_per_record,
        )
        await queue.join(system_db, hold)
        if free is not None:
            await queue.assign(system_db, hold, free)
        hold_id = hold.id
    return await db.get_one(Hold, hold_id)


async def give_up(db: Session, actor: Principal, hold: Hold) -> None:
    """Leave the queue; a copy that was set aside goes to whoever is next."""
    async with db.unscoped("whoever is next is known to the library alone") as system_db:
        await remove(system_db, hold.id, hold.copy_id)


async def remove(db: Session, hold_id: UUID, copy_id: UUID | None) -> None:
    """Remove a hold, in the title's turn. For a session in system scope."""
    hold = await db.get_one(Hold, hold_id)
    await queue.leave(db, hold)
    await db.delete(hold)
    await db.flush()
    if copy_id is not None:
        await queue.release(db, await copies.get(db, copy_id))


async def expire_due(db: Session) -> None:
    """Give copies that were not fetched in time to whoever is next. For a session in system scope."""
    due = select(Hold.id, Hold.book_id).where(Hold.status == "ready", Hold.expires_at <= now())
    for hold_id, book_id in (await db.execute(due.order_by(Hold.book_id, Hold.id).limit(BATCH))).all():
        await books.lock(db, book_id)
        hold = await db.get_one(Hold, hold_id, with_for_update=True, populate_existing=True)
        if hold.status != "ready" or hold.copy_id is None:  # fetched meanwhile
            continue
        hold.status = "expired"
        await db.flush()
        await queue.release(db, await copies.get(db, hold.copy_id))
        title = await books.title_of(db, book_id)
        await notices.tell(
            db,
            hold.patron_id,
            kind="hold_expired",
            subject=phrase("Not fetched: {title}", title=title),
            text=phrase("{title} was kept for you, and is not any more.", title=title),
            once=f"expired:{hold_id}",
        )


async def take_turn(db: Session, hold_id: UUID) -> None:
    """The turnstile of a hold: its title's turn, before the hold itself is locked."""
    async with db.unscoped("a step of a hold takes its title's turn") as system_db:
        book_id = await system_db.scalar(select(Hold.book_id).where(Hold.id == hold_id))
        if book_id is not None:
            await books.lock(system_db, book_id)


async def open_of_patron(db: Session, patron_id: UUID) -> list[Hold]:
    """What the patron waits for, oldest first."""
    mine = select(Hold).where(Hold.patron_id == patron_id, Hold.status.in_(OPEN)).order_by(Hold.created_at, Hold.id)
    return list(await db.scalars(mine))


async def give_up_all(db: Session, patron_id: UUID) -> None:
    """Remove all of a patron's holds, title by title. For a session in system scope."""
    for hold in sorted(await open_of_patron(db, patron_id), key=lambda hold: hold.book_id):
        await books.lock(db, hold.book_id)
        await db.refresh(hold)
        await remove(db, hold.id, hold.copy_id)


async def held_about(db: Session, patron_id: UUID) -> list[dict[str, Any]]:
    """The patron's holds, for an export. For a session in system scope."""
    mine = select(Hold).where(Hold.patron_id == patron_id).order_by(Hold.id)
    return [HoldRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def _free(db: Session, book_id: UUID, copy_id: UUID | None) -> Any:
    if copy_id is None:
        return await copies.find_free(db, book_id)
    copy = await copies.get(db, copy_id)
    return copy if copy.status == "available" else None

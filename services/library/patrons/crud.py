"""Patrons: their cards, and whether they may borrow. What a card is checked for stands in `require_good_standing`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select

from freehold import Conflict, NotFound, Session
from freehold.fields import now

from ..fields import unknown
from ..settings import LibrarySettings
from ..users import crud as users
from . import cards
from .models import Patron
from .schemas import PatronRead


class NoCard(Conflict):
    """The account has no card of the library."""

    code, title = "library.no_card", "No library card"


class PatronBlocked(Conflict):
    """The patron may not borrow now: the card has run out, is blocked or suspended, or too much is owed."""

    code, title = "library.patron_blocked", "Not allowed to borrow now"


async def issue(db: Session, user_id: UUID, category: str | None = None) -> Patron:
    """A card for an account, not added yet. Raises Invalid where there is no such account, Conflict where it has one.

    For a session in system scope.
    """
    if not await users.is_active(db, user_id):
        raise unknown("user_id")
    if await db.get(Patron, user_id) is not None:
        raise Conflict("This account has a card.", code="library.card_issued")
    settings = db.part(LibrarySettings)
    return Patron(
        id=user_id,
        card_number=cards.new(),
        category=category or settings.default_category,
        expires_on=now().date() + timedelta(days=settings.membership_days),
    )


async def lock(db: Session, patron_id: UUID) -> Patron:
    """The patron, in turns until the commit. After the title's lock; for a session in system scope. Raises NoCard."""
    locked = select(Patron).where(Patron.id == patron_id).with_for_update(key_share=True)
    found = (await db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()
    if found is None:
        raise NoCard("This account has no library card.")
    return found


async def find(db: Session, patron_id: UUID) -> Patron | None:
    """The patron, as far as the session's caller may see them; None where the account has no card."""
    return await db.get(Patron, patron_id)


async def find_card(db: Session, card_number: str) -> Patron | None:
    """The patron with this card, as far as the session's caller may see them."""
    return (await db.scalars(select(Patron).where(Patron.card_number == card_number))).one_or_none()


async def by_card(db: Session, card_number: str) -> Patron:
    """The same. Raises NotFound, and says so where the number is one that no card has."""
    if not cards.is_valid(card_number):
        raise NotFound("This is no card number: the check digit is wrong.")
    found = await find_card(db, card_number)
    if found is None:
        raise NotFound("There is no such card.")
    return found


def require_good_standing(db: Session, patron: Patron, *, owed: int, today: date) -> None:
    """Raise PatronBlocked, with every reason, unless the patron may borrow. owed: in minor units."""
    reasons = blocks(patron, owed=owed, most=db.part(LibrarySettings).owing_most, today=today)
    if reasons:
        raise PatronBlocked(" ".join(reasons))


def blocks(patron: Patron, *, owed: int, most: int, today: date) -> list[str]:
    """Why the patron may not borrow, one sentence each; none where they may."""
    found = {
        f"The card ran out on {patron.expires_on}.": patron.expires_on < today,
        f"The card is blocked: {patron.blocked_reason}": patron.blocked_reason is not None,
        f"Nothing is lent before {patron.suspended_until}.": (patron.suspended_until or today) > today,
        f"More is owed ({owed}) than may be ({most}).": owed > most,
    }
    return [reason for reason, holds in found.items() if holds]


async def suspend(db: Session, patron_id: UUID, *, until: date) -> None:
    """Lend the patron nothing before this day, or a later one that stands already. For a session in system scope."""
    patron = await lock(db, patron_id)
    patron.suspended_until = max(patron.suspended_until or until, until)


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """The card, for an export. For a session in system scope."""
    found = await db.get(Patron, user_id)
    return [] if found is None else [PatronRead.model_validate(found).model_dump(mode="json")]


async def erase(db: Session, user_id: UUID) -> None:
    """Leave a card that is nobody's: what was paid and lent still points to it. For a session in system scope."""
    patron = await db.get(Patron, user_id)
    if patron is not None:
        patron.card_number, patron.keeps_history = f"x{user_id.hex[:18]}", False
        patron.blocked_reason, patron.expires_on = "The account is closed.", now().date() - timedelta(days=1)


def keeps_history(patron_id: Any) -> ColumnElement[bool]:
    """SQL: the patron that a column names wants their reading history kept."""
    return exists().where(Patron.id == patron_id, Patron.keeps_history.is_(True))

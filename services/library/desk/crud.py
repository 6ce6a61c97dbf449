"""The staff desk: everything by barcode and card. Sessions here are librarians'."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from freehold import Principal, Session
from freehold.fields import now

from ..books import turns as books
from ..copies import crud as copies
from ..copies import handling
from ..copies.schemas import CopyRead
from ..fines import crud as fines
from ..holds import crud as holds
from ..holds import queue
from ..holds.schemas import HoldRead
from ..libraries import crud as libraries
from ..loans import crud as loans
from ..loans.schemas import LoanDraft, LoanRead
from ..patrons import crud as patrons
from ..settings import LibrarySettings
from ..users import crud as users
from .schemas import CheckedIn, CheckIn, CheckOut, PatronAtDesk, PatronCard

MOST_FOUND = 20

_STEPS: dict[str, Literal["shelve", "set_aside", "send", "repair"]] = {
    "available": "shelve",
    "on_hold": "set_aside",
    "in_transit": "send",
    "damaged": "repair",
}


async def check_out(db: Session, actor: Principal, scanned: CheckOut) -> LoanRead:
    """Lend what was scanned. Raises NotFound for an unknown card or barcode, and what `loans.borrow` raises."""
    patron = await patrons.by_card(db, scanned.card_number)
    copy = await copies.by_barcode(db, scanned.barcode)
    loan = await loans.borrow(db, actor, LoanDraft(copy_id=copy.id, patron_id=patron.id))
    db.add(loan)
    await db.flush()
    return LoanRead.model_validate(loan)


async def check_in(db: Session, actor: Principal, scanned: CheckIn) -> CheckedIn:
    """Take in a copy, whatever it comes from: a loan, the road, or a shelf where it was given up for lost."""
    async with db.unscoped("who is next is known to the library alone") as system_db:
        found = await copies.by_barcode(system_db, scanned.barcode)
        await books.lock(system_db, found.book_id)
        copy = await copies.get(system_db, found.id)
        here = copy.library_id if copy.status == "in_transit" else copy.home_id
        if scanned.library_id is not None:
            here = (await libraries.get(system_db, scanned.library_id)).id
        loan = await loans.open_of_copy(system_db, copy.id)
        if loan is not None:
            await loans.take_in(system_db, loan, library_id=here)
        elif copy.status == "lost":
            copy.library_id = here
            await handling.recover(system_db, actor, copy)
        elif copy.status == "in_transit" and copy.library_id == here:
            await handling.receive(system_db, copy)
        await system_db.flush()
        hold = await queue.set_aside_for(system_db, copy.id)
        return CheckedIn(
            next_step=_STEPS[copy.status],
            copy=CopyRead.model_validate(copy),
            loan=None if loan is None else LoanRead.model_validate(loan),
            hold=None if hold is None else HoldRead.model_validate(hold),
        )


async def find(db: Session, text: str) -> list[PatronCard]:
    """Patrons by card number, address, or the beginning of their name: at most twenty."""
    async with db.unscoped("librarians find patrons by name") as system_db:
        found = [user.id for user in await users.find(system_db, text, limit=MOST_FOUND)]
        card = await patrons.find_card(system_db, text)
        keys = [*([card.id] if card is not None else []), *found]
        return [PatronCard(**row) for key in dict.fromkeys(keys) if (row := await _glance(system_db, key)) is not None]


async def at_desk(db: Session, card_number: str) -> PatronAtDesk:
    """Whose card this is, what they have and wait for. Raises NotFound."""
    patron = await patrons.by_card(db, card_number)
    async with db.unscoped("librarians see who a patron is") as system_db:
        row = await _glance(system_db, patron.id)
        assert row is not None
        return PatronAtDesk(
            **row,
            loans=[LoanRead.model_validate(each) for each in await loans.open_of_patron(system_db, patron.id)],
            holds=[HoldRead.model_validate(each) for each in await holds.open_of_patron(system_db, patron.id)],
        )


async def _glance(db: Session, patron_id: UUID) -> dict[str, Any] | None:
    patron = await patrons.find(db, patron_id)
    if patron is None:
        return None
    user, owed = await users.get(db, patron_id), await fines.owed(db, patron_id)
    most = db.part(LibrarySettings).owing_most
    return {
        "id": patron.id,
        "card_number": patron.card_number,
        "full_name": user.full_name,
        "email": user.email,
        "category": patron.category,
        "expires_on": patron.expires_on,
        "owed": owed,
        "blocks": patrons.blocks(patron, owed=owed, most=most, today=now().date()),
    }

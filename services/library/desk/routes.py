"""The staff desk, as its program reaches it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from freehold import Caller, Db, Router, allow, role

from ..loans.schemas import LoanRead
from . import crud
from .schemas import CheckedIn, CheckIn, CheckOut, PatronAtDesk, PatronCard

router = Router(prefix="/v1/desk", tags=["desk"], dependencies=[allow(role("librarian"))])


@router.post("/checkouts", status_code=201, summary="Lend by barcode and card")
async def check_out(db: Db, caller: Caller, scanned: CheckOut) -> LoanRead:
    """Lend the copy with this barcode to the patron with this card."""
    return await crud.check_out(db, caller, scanned)


@router.post("/checkins", summary="Take in by barcode")
async def check_in(db: Db, caller: Caller, scanned: CheckIn) -> CheckedIn:
    """Take in the copy with this barcode, and say what to do with it."""
    return await crud.check_in(db, caller, scanned)


@router.get("/patrons", summary="Find patrons")
async def find_patrons(db: Db, q: Annotated[str, Query(min_length=2, max_length=200)]) -> list[PatronCard]:
    """By card number, address, or the beginning of the name; accents and case apart."""
    return await crud.find(db, q)


@router.get("/patrons/{card_number}", summary="Whose card this is")
async def patron_at_desk(db: Db, card_number: str) -> PatronAtDesk:
    """A patron with what they have, wait for and owe."""
    return await crud.at_desk(db, card_number)

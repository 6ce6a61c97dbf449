"""What the staff desk sends and sees."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from freehold.fields import INPUT, Key, Line

from ..copies.schemas import Barcode, CopyRead
from ..holds.schemas import HoldRead
from ..loans.schemas import LoanRead

CardNumber = Annotated[Line, Field(min_length=1, max_length=20, examples=["20000000000008"])]


class CheckOut(BaseModel):
    """A copy and a card, as they are scanned."""

    model_config = INPUT

    barcode: Barcode
    card_number: CardNumber


class CheckIn(BaseModel):
    """A copy, as it is scanned. library_id: the library of the desk; where the copy belongs if it is not given."""

    model_config = INPUT

    barcode: Barcode
    library_id: Key | None = None


class CheckedIn(BaseModel):
    """What to do with the copy now. loan: the one that ended, if it was out. hold: whom it is for."""

    next_step: Literal["shelve", "set_aside", "send", "repair"]
    copy_: CopyRead = Field(alias="copy")
    loan: LoanRead | None
    hold: HoldRead | None


class PatronCard(BaseModel):
    """A patron at a glance. blocks: why nothing is lent to them now, if so. owed: in minor units."""

    id: UUID
    card_number: str
    full_name: str
    email: str
    category: str
    expires_on: date
    owed: int
    blocks: list[str]


class PatronAtDesk(PatronCard):
    """A patron, with what they have and wait for."""

    loans: list[LoanRead]
    holds: list[HoldRead]

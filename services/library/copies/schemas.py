"""What clients send and see of copies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Line, Prose, not_blank

from ..fields import Amount, Code
from .models import Status

Barcode = Annotated[Line, Field(min_length=1, max_length=40, examples=["30112000012345"]), AfterValidator(not_blank)]


class CopyChange(BaseModel):
    """What of a copy may be changed by hand; its status follows from what happens to it."""

    model_config = INPUT

    barcode: Barcode
    location: Annotated[Line, Field(max_length=120, description="The shelf")] = ""
    item_type: Code = "book"
    price_amount: Amount | None = None
    note: Annotated[Prose, Field(max_length=500)] = ""


class CopyDraft(CopyChange):
    """A copy to put on the shelf; in the main library where none is named."""

    book_id: UUID
    library_id: UUID | None = None


class CopyRead(BaseModel):
    """A copy. library_id: where it is or, in transit, where it goes to."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    book_id: UUID
    barcode: str
    status: Status
    home_id: UUID
    library_id: UUID
    location: str
    item_type: str
    price_amount: int | None
    created_at: datetime


class Transfer(BaseModel):
    """Where a copy is sent."""

    model_config = INPUT

    library_id: UUID


class Damage(BaseModel):
    """What is wrong with a copy, and what it costs whoever had it last."""

    model_config = INPUT

    note: Annotated[Prose, Field(min_length=1, max_length=500), AfterValidator(not_blank)]
    amount: Amount = 0

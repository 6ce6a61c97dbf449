"""What clients send and see of patrons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Day, Prose

from ..fields import Code


class PatronDraft(BaseModel):
    """A card for an account that has none."""

    model_config = INPUT

    user_id: UUID
    category: Code | None = None


class PatronChange(BaseModel):
    """What librarians change of a patron."""

    model_config = INPUT

    category: Code
    expires_on: Day
    blocked_reason: Annotated[Prose, Field(max_length=500)] | None
    suspended_until: Day | None


class HistoryChoice(BaseModel):
    """Whether the library keeps what one has read. No: what is there is forgotten at once."""

    model_config = INPUT

    keep: bool


class PatronRead(BaseModel):
    """A patron; the id is that of the account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    card_number: str
    category: str
    expires_on: date
    blocked_reason: str | None
    suspended_until: date | None
    keeps_history: bool
    created_at: datetime

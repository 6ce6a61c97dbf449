"""What clients send and see of holds."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ..fields import BookOrCopy
from .models import Status


class HoldDraft(BookOrCopy):
    """A place in the queue for a title; or, where the rules allow it, for one copy. Librarians may name the patron."""

    copy_id: UUID | None = Field(None, description="This copy and no other", validate_default=True)
    pickup_id: UUID | None = Field(None, description="The library to fetch it at; the main one where none is named")
    patron_id: UUID | None = None


class HoldRead(BaseModel):
    """A hold. position: 1 is next; null once a copy is on its way, or `ready` until `expires_at`."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    book_id: UUID
    patron_id: UUID
    status: Status
    position: int | None
    wanted_copy_id: UUID | None
    copy_id: UUID | None
    pickup_id: UUID
    ready_at: datetime | None
    expires_at: datetime | None
    created_at: datetime

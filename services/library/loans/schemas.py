"""What clients send and see of loans."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from freehold.fields import INPUT, Instant

from ..fields import BookOrCopy
from .models import Status


class LoanDraft(BookOrCopy):
    """Borrow this copy, or any free one of a title. Librarians may name the patron."""

    patron_id: UUID | None = None


class LoanChange(BaseModel):
    """Another day on which it is due, set by a librarian."""

    model_config = INPUT

    due_at: Instant


class LoanRead(BaseModel):
    """A loan. ended_at: when the copy came back, or was given up for lost; patron_id is null once that is forgotten."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    copy_id: UUID
    book_id: UUID
    patron_id: UUID | None
    library_id: UUID
    item_type: str
    status: Status
    loaned_at: datetime
    due_at: datetime
    ended_at: datetime | None
    renewals: int

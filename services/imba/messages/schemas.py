"""What clients send and see of threads and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Prose, not_blank

Words = Annotated[Prose, Field(min_length=1, max_length=4000), AfterValidator(not_blank)]


class ThreadDraft(BaseModel):
    """Write to the other side: about a listing, as somebody interested; or about a reservation, as either side.

    Where there is such a thread already the message is added to it.
    """

    model_config = INPUT | ConfigDict(
        json_schema_extra={
            "examples": [{"property_id": "0190b0a0-0000-7000-8000-000000000000", "text": "Is the street quiet?"}]
        }
    )

    property_id: UUID | None = None
    reservation_id: UUID | None = None
    text: Words

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.property_id is None) == (self.reservation_id is None):
            raise PydanticCustomError("subject", "give property_id or reservation_id, one of them")
        return self


class ThreadRead(BaseModel):
    """A thread. Each side sees its own count of unread messages, and that alone.

    `closed_at` is there once a side has left, which took its words and name along, or a moderator has closed it.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    property_id: UUID
    reservation_id: UUID | None
    tenant_id: UUID
    landlord_id: UUID
    tenant_name: str
    landlord_name: str
    message_count: int
    tenant_unread: int | None = None
    landlord_unread: int | None = None
    last_message_at: datetime
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Seen(BaseModel):
    """How far one has read. A message that comes in meanwhile stays unread."""

    model_config = INPUT

    up_to: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The `number` of the last message seen; absent: all"
    )


class MessageDraft(BaseModel):
    """Write to the other side of a thread."""

    model_config = INPUT

    thread_id: UUID
    text: Words


class MessageRead(BaseModel):
    """A message. `number` is its place in the thread, from 1; the text of somebody who has left is empty."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    thread_id: UUID
    sender_id: UUID
    number: int
    text: str
    created_at: datetime


class Unread(BaseModel):
    """How much the caller has not read yet."""

    threads: int
    messages: int


class BlockedPersonDraft(BaseModel):
    """Block the other side of a thread: neither writes to the other any more, in no thread."""

    model_config = INPUT

    thread_id: UUID


class BlockedPersonRead(BaseModel):
    """Somebody whom the caller has blocked."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    blocked_id: UUID
    thread_id: UUID
    name: str
    created_at: datetime

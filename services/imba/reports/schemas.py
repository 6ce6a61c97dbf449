"""What clients send and see of reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Prose, not_blank

from .models import Reason, Status


class ReportDraft(BaseModel):
    """Report a thread that the caller takes part in: all of it, or one message of the other side."""

    model_config = INPUT

    thread_id: UUID
    message_id: UUID | None = None
    reason: Reason
    text: Annotated[Prose, Field(max_length=2000)] = ""


class Decision(BaseModel):
    """What a moderator writes down; staff alone read it."""

    model_config = INPUT

    decision: Annotated[Prose, Field(min_length=1, max_length=1000), AfterValidator(not_blank)]


class Upholding(Decision):
    """With `closes_thread` nobody writes in it any more, and both sides are told that and `told`."""

    closes_thread: bool = False
    told: Annotated[Prose, Field(min_length=1, max_length=500), AfterValidator(not_blank)] | None = Field(
        default=None, description="What both sides are told; needed to close the thread"
    )


class ReportRead(BaseModel):
    """A report and what became of it. The fields of the moderator are for staff alone."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    reporter_id: UUID
    thread_id: UUID
    message_id: UUID | None
    reason: Reason
    text: str
    status: Status
    decision: str | None = None
    moderator_id: UUID | None = None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime

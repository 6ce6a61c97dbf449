"""What clients send and see of a check."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..fields import INPUT
from .models import Status, Subject


class VerificationDraft(BaseModel):
    """Ask for a check of the caller's identity, or of one of the caller's properties."""

    model_config = INPUT

    subject: Subject
    property_id: UUID | None = Field(default=None, description="The property, where that is the subject")
    document_ids: list[UUID] = Field(default=[], max_length=20)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.subject == "property") != (self.property_id is not None):
            raise PydanticCustomError("subject", "property_id goes with the subject `property`, and only with it")
        return self


class VerificationRead(BaseModel):
    """A check and how it stands. `reviewer_id` is for staff alone."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    landlord_id: UUID
    subject: Subject
    property_id: UUID | None
    document_ids: list[UUID]
    status: Status
    reason: str | None
    reviewer_id: UUID | None = None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime

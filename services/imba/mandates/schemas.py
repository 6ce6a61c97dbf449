"""What clients send and see of mandates."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import INPUT

from .models import Status


class MandateDraft(BaseModel):
    """Ask an agent to act for a property of one's own."""

    model_config = INPUT

    property_id: UUID
    agent: UUID = Field(description="The id of the agent's account, which the agent gives to the landlord")


class MandateRead(BaseModel):
    """A mandate. While it is active the agent manages the property as its landlord does, and may not delete it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    landlord_id: UUID
    agent_id: UUID
    property_id: UUID
    status: Status
    accepted_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    updated_at: datetime

"""What a landlord sends and sees of a calendar kept elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from freehold.fields import Line

from ..fields import INPUT
from .models import Status

LARGEST_FILE = 500_000


class CalendarDraft(BaseModel):
    """A calendar of the property kept elsewhere: the text of an iCalendar file."""

    model_config = INPUT

    property_id: UUID
    name: Annotated[Line, Field(max_length=120)] = ""
    file: Annotated[str, StringConstraints(min_length=1, max_length=LARGEST_FILE)]


class CalendarRead(BaseModel):
    """A calendar that is imported.

    `events` take nights since `synced_at`; an import that failed since has left them, and `failure` says why.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    property_id: UUID
    name: str
    status: Status
    failure: str | None
    events: int
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime

"""What a landlord sends and sees of a calendar kept elsewhere, and of the address of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Line

from .models import Status

LARGEST_FILE = 500_000


class CalendarDraft(BaseModel):
    """A calendar of the property kept elsewhere: its address, or the text of an iCalendar file."""

    model_config = INPUT

    property_id: UUID
    name: Annotated[Line, Field(max_length=120)] = ""
    url: Annotated[Line, Field(min_length=1, max_length=2000)] | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=LARGEST_FILE)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.url is None) == (self.file is None):
            raise PydanticCustomError("one_source", "give either url or file")
        return self


class CalendarRead(BaseModel):
    """A calendar that is imported.

    `events` take nights since `synced_at`; an import that failed since has left them, and `failure` says why. One with
    a `url` is asked again at `next_sync_at`.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    property_id: UUID
    name: str
    url: str | None
    status: Status
    failure: str | None
    failures: int
    events: int
    synced_at: datetime | None
    next_sync_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FeedAddress(BaseModel):
    """Where other sites read when the property is taken; null where it is not given out.

    Whoever knows `path` can read it; a new one makes the old one useless.
    """

    path: str | None
    since: datetime | None

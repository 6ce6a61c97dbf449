"""What a landlord sends and sees of the nights that they keep for themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Day, Prose

LONGEST_BLOCK_DAYS = 3660


class BlockDraft(BaseModel):
    """Keep the nights from `start` up to `end` free of guests. Nobody else reads the note."""

    model_config = INPUT

    property_id: UUID
    start: Day
    end: Day
    note: Annotated[Prose, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not 0 < (self.end - self.start).days <= LONGEST_BLOCK_DAYS:
            raise PydanticCustomError("nights", "end has to be after start, by at most ten years")
        return self


class BlockRead(BaseModel):
    """Nights that the owner keeps."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    property_id: UUID
    start: date
    end: date
    note: str
    created_at: datetime
    updated_at: datetime

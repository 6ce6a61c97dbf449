"""What clients send and see of notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT

from .models import ESSENTIAL, Kind


def _optional(kind: Kind) -> Kind:
    if kind in ESSENTIAL:
        raise PydanticCustomError("essential", "notices of this kind are always mailed")
    return kind


class NoticeRead(BaseModel):
    """A notice. `link` is the path of what it is about."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    subject: str
    text: str
    link: str | None
    read_at: datetime | None
    created_at: datetime


class Reading(BaseModel):
    """How many notices were unread, and are read now."""

    marked: int


class PreferenceDraft(BaseModel):
    """Whether notices of a kind come by mail, too. Essential kinds cannot be chosen: they always do."""

    model_config = INPUT

    kind: Annotated[Kind, AfterValidator(_optional), Field(examples=["message"])]
    mail: bool


class PreferenceChange(BaseModel):
    """Change one's mind."""

    model_config = INPUT

    mail: bool


class PreferenceRead(BaseModel):
    """What one prefers for a kind of notice. A kind without a preference is mailed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    mail: bool
    created_at: datetime

"""What clients send and see of a reservation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import Day, now

from ..fields import INPUT
from .models import Kind, Status

LONGEST_STAY_NIGHTS = 365


def _stay_only(kind: str) -> str:
    if kind == "visit":
        raise PydanticCustomError("unsupported", "visits cannot be booked yet; only `stay` can")
    if kind != "stay":
        raise PydanticCustomError("unsupported", "the kind of a reservation is `stay`")
    return kind


def _not_past(day: date) -> date:
    if day < now().date():
        raise PydanticCustomError("past", "the day has passed (in UTC)")
    return day


class ReservationDraft(BaseModel):
    """Ask for a stay: the nights from `check_in` up to `check_out`."""

    model_config = INPUT

    kind: Annotated[str, AfterValidator(_stay_only), Field(json_schema_extra={"const": "stay"})] = "stay"
    property_id: UUID
    check_in: Annotated[Day, AfterValidator(_not_past)]
    check_out: Day
    guests: int = Field(ge=1, le=100)

    @field_validator("check_out")
    @classmethod
    def _nights(cls, check_out: date, others: ValidationInfo) -> date:
        check_in = others.data.get("check_in")
        if check_in is not None and check_out <= check_in:
            raise PydanticCustomError("nights", "check_out has to be after check_in")
        if check_in is not None and (check_out - check_in).days > LONGEST_STAY_NIGHTS:
            raise PydanticCustomError("nights", "a stay has at most 365 nights")
        return check_out


class ReservationRead(BaseModel):
    """A reservation, as it stands at this moment: a hold past its end reads `expired` before any sweep."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    status: Status
    property_id: UUID
    tenant_id: UUID
    check_in: date
    check_out: date
    guests: int
    total_amount: int
    currency: str
    expires_at: datetime | None
    reason: str | None
    created_at: datetime
    updated_at: datetime

    @model_validator(mode="after")
    def _lapsed(self) -> Self:
        if self.status == "pending" and self.expires_at is not None and self.expires_at <= now():
            self.status = "expired"
        return self

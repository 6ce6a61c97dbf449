"""What clients send and see of a reservation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, now
from freehold.local_time import PlannedDay, PlannedInstant

from ..pricing.schemas import LONGEST_STAY_NIGHTS, CancellationStep, PriceLine
from .models import Deposit, Kind, Status


def _not_past(moment: datetime) -> datetime:
    if moment <= now():
        raise PydanticCustomError("past", "the moment has passed")
    return moment


class ReservationDraft(BaseModel):
    """Ask for a stay, the nights from `check_in` up to `check_out`; or for a visit of 30 minutes at `starts_at`."""

    model_config = INPUT | ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "stay",
                    "property_id": "0190b0a0-0000-7000-8000-000000000000",
                    "check_in": "2030-07-01",
                    "check_out": "2030-07-08",
                    "guests": 2,
                },
                {
                    "kind": "visit",
                    "property_id": "0190b0a0-0000-7000-8000-000000000000",
                    "starts_at": "2030-07-01T10:00:00Z",
                },
            ]
        }
    )

    kind: Kind = "stay"
    property_id: UUID
    check_in: PlannedDay | None = Field(default=None, description="Of a stay", validate_default=True)
    check_out: PlannedDay | None = Field(default=None, description="Of a stay", validate_default=True)
    guests: int | None = Field(default=None, ge=1, le=100, description="Of a stay", validate_default=True)
    expected_total: int | None = Field(
        default=None, ge=0, description="Of a stay: what its quote said. At another price it is refused (409)"
    )
    starts_at: Annotated[PlannedInstant, AfterValidator(_not_past)] | None = Field(
        default=None, description="Of a visit", validate_default=True
    )

    @field_validator("check_in", "check_out", "guests", "starts_at", "expected_total")
    @classmethod
    def _of_its_kind(cls, value: Any, others: ValidationInfo) -> Any:
        kind = others.data.get("kind")
        belongs = kind == ("visit" if others.field_name == "starts_at" else "stay")
        if kind is not None and value is not None and not belongs:
            raise PydanticCustomError("unexpected", "a {kind} has none", {"kind": kind})
        if belongs and value is None and others.field_name != "expected_total":
            raise PydanticCustomError("missing", "a {kind} needs it", {"kind": kind})
        return value

    @field_validator("check_out")
    @classmethod
    def _nights(cls, check_out: date | None, others: ValidationInfo) -> date | None:
        check_in = others.data.get("check_in")
        if check_in is not None and check_out is not None and check_out <= check_in:
            raise PydanticCustomError("nights", "check_out has to be after check_in")
        if check_in is not None and check_out is not None and (check_out - check_in).days > LONGEST_STAY_NIGHTS:
            raise PydanticCustomError("nights", "a stay has at most 365 nights")
        return check_out


class Rescheduling(BaseModel):
    """Another time for a visit."""

    model_config = INPUT

    starts_at: Annotated[PlannedInstant, AfterValidator(_not_past)]


class ReservationRead(BaseModel):
    """A reservation, as it stands at this moment: a hold past its end reads `expired` before any sweep.

    Nights, guests and money are a stay's. `total_amount` is the sum of `price_lines`, fixed when it was reserved, as
    are the terms of its cancellation; `refund_amount` is there once it is cancelled.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    status: Status
    property_id: UUID
    tenant_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    check_in: date | None
    check_out: date | None
    guests: int | None
    total_amount: int | None
    currency: str | None
    price_lines: list[PriceLine]
    cancellation: list[CancellationStep]
    deposit_amount: int
    deposit_status: Deposit
    refund_amount: int | None
    expires_at: datetime | None
    reason: str | None
    created_at: datetime
    updated_at: datetime

    @model_validator(mode="after")
    def _lapsed(self) -> Self:
        if self.status == "pending" and self.expires_at is not None and self.expires_at <= now():
            self.status = "expired"
        return self


class Party(BaseModel):
    """One side of a reservation."""

    full_name: str
    email: str


class Contact(BaseModel):
    """Who the other side is, and where to go: for both sides, once it is confirmed."""

    tenant: Party
    landlord: Party
    street: str
    postcode: str
    city: str
    country: str

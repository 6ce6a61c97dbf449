"""What clients send and see of fines and payments."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import INPUT

from .models import Kind, Method


class FineRead(BaseModel):
    """A fine. balance_amount: what is still to be paid."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    patron_id: UUID
    loan_id: UUID
    kind: Kind
    amount: int
    balance_amount: int
    currency: str
    counted_until: date | None
    reason: str | None
    created_at: datetime


class PaymentDraft(BaseModel):
    """Money taken for a fine, in minor units of its currency."""

    model_config = INPUT

    fine_id: UUID
    amount: Annotated[int, Field(ge=1, le=10**12)]
    method: Method = "cash"


class PaymentRead(BaseModel):
    """Money that was taken for a fine."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    fine_id: UUID
    patron_id: UUID
    amount: int
    currency: str
    method: Method
    created_at: datetime

"""What librarians send and everybody sees of the rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Day

from ..fields import Amount, Code
from .models import Unit

Count = Annotated[int, Field(ge=0, le=10_000)]
Length = Annotated[int, Field(ge=1, le=10_000)]


class RuleDraft(BaseModel):
    """A rule. Without `library_id`, `category` or `item_type` it is about all of them; of rules that fit, the most
    specific that says something of a setting decides it: first by library, then by category, then by item type.
    """

    model_config = INPUT

    library_id: UUID | None = None
    category: Code | None = None
    item_type: Code | None = None
    loan_limit: Count | None = Field(
        None, description="How many copies at once: in all, or of the item type where the rule names one"
    )
    period_length: Length | None = Field(None, description="How long a copy is lent")
    period_unit: Unit | None = None
    hard_due_on: Day | None = Field(None, description="No loan is due after this day")
    fine_amount: Amount | None = Field(None, description="For each interval of lateness, in minor units")
    fine_interval_days: Length | None = Field(None, description="Days on which the library is open")
    grace_days: Count | None = Field(None, description="So late costs nothing; later, every day counts")
    fine_cap: Amount | None = Field(None, description="The most that lateness of one loan costs")
    cap_at_price: bool | None = Field(None, description="Never more than the price of the copy")
    suspension_days: Count | None = Field(
        None, description="For each day late, so long nothing is lent after the return"
    )
    renewals: Count | None = None
    renewal_length: Length | None = Field(None, description="As long as a loan where it is not given")
    no_renewal_before_days: Count | None = Field(None, description="Not earlier than so many days before it is due")
    automatic_renewal: bool | None = Field(None, description="On the day before it is due, by itself")
    hold_limit: Count | None = Field(None, description="How many holds a patron may have at once")
    holds_per_record: Count | None = Field(None, description="The same, on one title")
    on_shelf_holds: bool | None = Field(None, description="A hold is taken though a copy is on the shelf")
    item_level_holds: bool | None = Field(None, description="A hold may name the copy")
    pickup_days: Length | None = Field(None, description="So long a copy is kept for the one it was set aside for")


class RuleRead(RuleDraft):
    """A rule; what is null is left to less specific ones."""

    model_config = ConfigDict(from_attributes=True, extra="ignore", strict=False)

    id: UUID
    hard_due_on: date | None
    created_at: datetime

"""What a report says, and over which days."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from freehold.fields import Day

LONGEST_DAYS = 366


class Period(BaseModel):
    """From the first day up to the last, in UTC: half-open, at most a year."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: Annotated[Day, Field(alias="from")]
    until: Annotated[Day, Field(alias="to")]

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date, others: ValidationInfo) -> date:
        since = others.data.get("since")
        if since is not None and not 0 < (until - since).days <= LONGEST_DAYS:
            raise PydanticCustomError("period", "`to` has to be after `from`, by at most 366 days")
        return until


class Lent(BaseModel):
    """How often a title was lent in the period."""

    book_id: UUID
    title: str
    loans: int


class Report(BaseModel):
    """The figures of a period; copies, overdue and owed are of this moment. Money in minor units, by currency."""

    since: date
    until: date
    loans: int
    returns: int
    by_item_type: dict[str, int]
    most_lent: list[Lent]
    copies: dict[str, int]
    overdue: int
    owed: dict[str, int]
    paid: dict[str, int]

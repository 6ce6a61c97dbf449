"""What clients send and see of saved searches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field

from freehold.fields import INPUT, Line, not_blank

Name = Annotated[Line, Field(min_length=1, max_length=120), AfterValidator(not_blank)]
Query = Annotated[
    Line,
    Field(
        min_length=1,
        max_length=2000,
        description="Filters, place and words as `GET /v1/properties` takes them behind its `?`, without its pages",
        examples=["city=Seattle&bedrooms__gte=2&price_amount__lte=20000"],
    ),
]


class SearchDraft(BaseModel):
    """Keep a search; with `alerts` its owner is mailed when something new is listed that it finds."""

    model_config = INPUT

    name: Name
    query: Query
    alerts: bool = True


class SearchChange(BaseModel):
    """Change it. Alerts of another query, or switched on again, begin at this moment."""

    model_config = INPUT

    name: Name | MISSING = MISSING
    query: Query | MISSING = MISSING
    alerts: bool | MISSING = MISSING


class SearchRead(BaseModel):
    """A search that is kept. `checked_at` is when it was last looked at for alerts."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    query: str
    alerts: bool
    checked_at: datetime
    created_at: datetime
    updated_at: datetime

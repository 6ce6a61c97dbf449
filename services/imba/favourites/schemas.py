"""What clients send and see of favourites."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from freehold.fields import INPUT


class FavouriteDraft(BaseModel):
    """Put a listing aside."""

    model_config = INPUT

    property_id: UUID


class FavouriteRead(BaseModel):
    """A listing put aside. With `?expand=property` a list shows it; null where it is not offered any more."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    property_id: UUID
    created_at: datetime

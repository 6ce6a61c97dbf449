"""What patrons see of their notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from .models import Kind


class NoticeRead(BaseModel):
    """Something that a patron was told."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    patron_id: UUID
    kind: Kind
    subject: str
    text: str
    created_at: datetime
    read_at: datetime | None

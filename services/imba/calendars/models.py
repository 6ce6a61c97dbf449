"""The table of calendars that are imported."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base

from ..fields import one_of

Status: TypeAlias = Literal["new", "synced", "failed"]


class Calendar(Base):
    """A calendar of a property kept elsewhere, as it was sent.

    `events` and `synced_at` speak of the last import that went well; a later one that failed leaves them, and says
    why in `failure`.
    """

    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    file: Mapped[str] = mapped_column(Text)
    status: Mapped[Status] = mapped_column(one_of(Status), default="new")
    failure: Mapped[str | None] = mapped_column(String(500))
    events: Mapped[int] = mapped_column(default=0)
    synced_at: Mapped[datetime | None]

    property: Mapped[Any] = relationship("Property")

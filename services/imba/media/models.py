"""The table of uploaded files."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.media import MediaMixin


class Medium(MediaMixin, Base):
    """A file. Photos and videos belong to a property; a document may belong to one."""

    __tablename__ = "media"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    property_id: Mapped[UUID | None] = mapped_column(ForeignKey("properties.id"), index=True)

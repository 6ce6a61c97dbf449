"""The table of views."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base


class PropertyViews(Base):
    """How often a property was looked at on a day (UTC), its landlord's and staff's own looks apart: they count nothing.

    bots: looks of programs that say so. Written by addition alone.
    """

    __tablename__ = "property_views"
    __table_args__ = (UniqueConstraint("property_id", "day"),)

    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id", ondelete="CASCADE"))
    day: Mapped[date]
    people: Mapped[int] = mapped_column(default=0)
    bots: Mapped[int] = mapped_column(default=0)

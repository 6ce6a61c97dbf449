"""The tables of libraries and of the days on which they are closed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import folded

from ..base import Base


class Library(Base):
    """A house with shelves. closed_weekdays: 1 is Monday, 7 Sunday."""

    name: Mapped[str] = mapped_column(String(120))
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    closed_weekdays: Mapped[list[int]] = mapped_column(JSON, default=list)
    name_key: Mapped[str] = folded("name", index=True)


class ClosedDay(Base):
    """A day on which one library is closed, by its own calendar."""

    library_id: Mapped[UUID] = mapped_column(ForeignKey("libraries.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(200), default="")

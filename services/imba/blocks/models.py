"""The table of taken nights."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Kind: TypeAlias = Literal["owner", "stay", "imported"]


class Block(Base):
    """The nights from `start` up to `end` of a property are taken.

    By its owner; by a stay, whose id it has, and which holds them until `expires_at` or for good; or by an event of
    an imported calendar. Owners' and stays' never overlap, which the database sees to. What a calendar elsewhere says
    has happened there, and may contradict itself and what is booked here: it is taken as told.
    """

    __table_args__ = (Index("ix_blocks_nights", "property_id", "start", "end"),)

    kind: Mapped[Kind] = mapped_column(one_of(Kind), default="owner")
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"))
    start: Mapped[date] = mapped_column(index=True)
    end: Mapped[date]
    note: Mapped[str] = mapped_column(String(500), default="")
    expires_at: Mapped[datetime | None]
    calendar_id: Mapped[UUID | None] = mapped_column(ForeignKey("calendars.id"), index=True)
    uid: Mapped[str | None] = mapped_column(String(512))

    property: Mapped[Any] = relationship("Property")

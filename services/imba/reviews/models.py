"""The table of reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Subject: TypeAlias = Literal["property", "guest"]


class Review(Base):
    """What one side of a completed stay says: its tenant of the property, its landlord of the guest.

    Neither reads the other's before both are published: once both are written, or at `closes_at`, when the time for
    writing ends. From then on it does not change, save for the landlord's answer.
    """

    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint("(property_id IS NULL) <> (guest_id IS NULL)", name="one_subject"),
        Index("ix_reviews_publication", "published_at", "closes_at"),
    )

    reservation_id: Mapped[UUID] = mapped_column(ForeignKey("reservations.id"), index=True)
    subject: Mapped[Subject] = mapped_column(one_of(Subject))
    property_id: Mapped[UUID | None] = mapped_column(ForeignKey("properties.id"), index=True)
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(100))
    rating: Mapped[int] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    closes_at: Mapped[datetime]
    published_at: Mapped[datetime | None] = mapped_column(index=True)

    property: Mapped[Any] = relationship("Property")

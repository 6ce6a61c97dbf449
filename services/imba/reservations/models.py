"""The table of stays."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base

from ..fields import one_of

Kind: TypeAlias = Literal["stay"]
Status: TypeAlias = Literal["pending", "confirmed", "rejected", "cancelled", "expired"]

HOLDING: tuple[Status, ...] = ("pending", "confirmed")


class Reservation(Base):
    """The nights from `check_in` to `check_out` at a property. `HOLDING` ones take their dates.

    A pending one past `expires_at` has lapsed, whether or not a sweep has written `expired` yet.
    """

    __table_args__ = (
        CheckConstraint("check_in < check_out", name="nights"),
        Index("ix_reservations_property_days", "property_id", "check_in"),
        Index("ix_reservations_lapsing", "status", "expires_at"),
    )

    kind: Mapped[Kind] = mapped_column(one_of(Kind), default="stay")
    status: Mapped[Status] = mapped_column(one_of(Status), default="pending")
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    check_in: Mapped[date] = mapped_column(index=True)
    check_out: Mapped[date]
    guests: Mapped[int]
    total_amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    expires_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(500))

    property: Mapped[Any] = relationship("Property")

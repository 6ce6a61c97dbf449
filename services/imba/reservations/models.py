"""The table of reservations: stays by the night, and visits of half an hour."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Kind: TypeAlias = Literal["stay", "visit"]
Status: TypeAlias = Literal["pending", "confirmed", "rejected", "cancelled", "expired"]
Deposit: TypeAlias = Literal["none", "due", "released"]

HOLDING: tuple[Status, ...] = ("pending", "confirmed")


class Reservation(Base):
    """A stay or a visit, on the terms of the moment at which it was made.

    It lasts from `starts_at` to `ends_at`: of a stay, the hours of check-in and check-out by the clock of
    `time_zone`. The nights that a stay takes are a row of the blocks; a visit takes the property until `clear_at`.
    A pending one past `expires_at` has lapsed, whether or not a sweep has written `expired` yet.
    """

    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint("kind = 'visit' OR (check_in < check_out AND total_amount IS NOT NULL)", name="stay"),
        CheckConstraint("kind = 'stay' OR clear_at IS NOT NULL", name="visit"),
        Index("ix_reservations_property_start", "property_id", "starts_at"),
        Index("ix_reservations_lapsing", "status", "expires_at"),
    )

    kind: Mapped[Kind] = mapped_column(one_of(Kind), default="stay")
    status: Mapped[Status] = mapped_column(one_of(Status), default="pending")
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    clear_at: Mapped[datetime | None]
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    check_in: Mapped[date | None] = mapped_column(index=True)
    check_out: Mapped[date | None]
    guests: Mapped[int | None]
    total_amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    price_lines: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    cancellation: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    deposit_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    deposit_status: Mapped[Deposit] = mapped_column(one_of(Deposit), default="none")
    refund_amount: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(500))

    property: Mapped[Any] = relationship("Property")

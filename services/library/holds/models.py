"""The table of holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.fields import one_of

from ..base import Base

Status: TypeAlias = Literal["waiting", "in_transit", "ready", "fulfilled", "expired"]

OPEN: tuple[Status, ...] = ("waiting", "in_transit", "ready")


class Hold(Base):
    """A place in the queue for a title, or a copy set aside for its owner.

    position: 1 is next; NULL once it waits no more. wanted_copy_id: this copy and no other. copy_id: the one set aside.
    pickup_id: the library where it will be fetched. The limits are those of the rules when it was placed.
    """

    __table_args__ = (Index("ix_holds_queue", "book_id", "status", "position"),)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    patron_id: Mapped[UUID] = mapped_column(ForeignKey("patrons.id"), index=True)
    status: Mapped[Status] = mapped_column(one_of(Status), default="waiting")
    position: Mapped[int | None]
    wanted_copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copies.id"), index=True)
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copies.id"), index=True)
    pickup_id: Mapped[UUID] = mapped_column(ForeignKey("libraries.id"), index=True)
    pickup_days: Mapped[int]
    hold_limit: Mapped[int]
    record_limit: Mapped[int]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)

    book: Mapped[Any] = relationship("Book", viewonly=True)

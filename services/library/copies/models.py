"""The table of copies."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import one_of

from ..base import Base

Status: TypeAlias = Literal["available", "on_loan", "on_hold", "in_transit", "lost", "damaged"]


class Copy(Base):
    """A thing that is lent: one copy of a title.

    home_id: the library it belongs to. library_id: where it is or, in transit, where it goes to. `on_hold`: set aside for
    whoever was next. price_amount: what a new one costs, in minor units of its home's currency.
    """

    __table_args__ = (Index("ix_copies_on_shelf", "book_id", "status"),)

    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    barcode: Mapped[str] = mapped_column(String(40))
    status: Mapped[Status] = mapped_column(one_of(Status), default="available", index=True)
    home_id: Mapped[UUID] = mapped_column(ForeignKey("libraries.id"), index=True)
    library_id: Mapped[UUID] = mapped_column(ForeignKey("libraries.id"), index=True)
    location: Mapped[str] = mapped_column(String(120), default="")
    item_type: Mapped[str] = mapped_column(String(40), default="book")
    price_amount: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500), default="")
    deleted_at: Mapped[datetime | None]

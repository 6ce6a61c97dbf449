"""The table of loans."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold.fields import now, one_of

from ..base import Base

Status: TypeAlias = Literal["open", "returned", "lost"]


class Loan(Base):
    """A copy that a patron has, or had. terms: what was agreed; loan_limit and type_limit are of them.

    patron_id is NULL once a loan that is over has been forgotten. ended_at: when it came back, or was given up for lost.
    """

    __table_args__ = (
        Index("ix_loans_due", "status", "due_at"),
        Index("ix_loans_of_patron", "patron_id", "status"),
        Index("ix_loans_ended", "ended_at"),
    )

    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"), index=True)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"), index=True)
    patron_id: Mapped[UUID | None] = mapped_column(ForeignKey("patrons.id"))
    library_id: Mapped[UUID] = mapped_column(ForeignKey("libraries.id"))
    item_type: Mapped[str] = mapped_column(String(40))
    status: Mapped[Status] = mapped_column(one_of(Status), default="open")
    loaned_at: Mapped[datetime] = mapped_column(default=now, index=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    renewals: Mapped[int] = mapped_column(default=0)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    loan_limit: Mapped[int]
    type_limit: Mapped[int | None]

    book: Mapped[Any] = relationship("Book", viewonly=True)

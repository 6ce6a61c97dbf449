"""The tables of fines and payments."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import one_of

from ..base import Base

Kind: TypeAlias = Literal["overdue", "lost", "damage"]
Method: TypeAlias = Literal["cash", "card", "transfer"]


class Fine(Base):
    """What a loan costs its patron: one row for its lateness, one for its loss.

    amount: what is charged in all. balance_amount: what of it is neither paid nor waived. counted_until: the last day
    that is in the amount.
    """

    __table_args__ = (Index("ix_fines_owed", "patron_id", "balance_amount"),)

    patron_id: Mapped[UUID] = mapped_column(ForeignKey("patrons.id"))
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"), index=True)
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    counted_until: Mapped[date | None]
    reason: Mapped[str | None] = mapped_column(String(500))


class Payment(Base):
    """Money that was taken for a fine. taken_by: the librarian."""

    fine_id: Mapped[UUID] = mapped_column(ForeignKey("fines.id"), index=True)
    patron_id: Mapped[UUID] = mapped_column(ForeignKey("patrons.id"), index=True)
    taken_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    method: Mapped[Method] = mapped_column(one_of(Method))

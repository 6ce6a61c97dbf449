"""The table of the rules of circulation."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import one_of

from ..base import Base

Unit: TypeAlias = Literal["days", "hours"]


class CirculationRule(Base):
    """What holds for a library, a category of patrons and a type of items; NULL stands for each of them.

    A setting that is NULL is left to the next rule that is less specific: see `terms.resolve`.
    """

    library_id: Mapped[UUID | None] = mapped_column(ForeignKey("libraries.id"), index=True)
    category: Mapped[str | None] = mapped_column(String(40))
    item_type: Mapped[str | None] = mapped_column(String(40))

    loan_limit: Mapped[int | None]
    period_length: Mapped[int | None]
    period_unit: Mapped[Unit | None] = mapped_column(one_of(Unit))
    hard_due_on: Mapped[date | None]
    fine_amount: Mapped[int | None] = mapped_column(BigInteger)
    fine_interval_days: Mapped[int | None]
    grace_days: Mapped[int | None]
    fine_cap: Mapped[int | None] = mapped_column(BigInteger)
    cap_at_price: Mapped[bool | None]
    suspension_days: Mapped[int | None]
    renewals: Mapped[int | None]
    renewal_length: Mapped[int | None]
    no_renewal_before_days: Mapped[int | None]
    automatic_renewal: Mapped[bool | None]
    hold_limit: Mapped[int | None]
    holds_per_record: Mapped[int | None]
    on_shelf_holds: Mapped[bool | None]
    item_level_holds: Mapped[bool | None]
    pickup_days: Mapped[int | None]

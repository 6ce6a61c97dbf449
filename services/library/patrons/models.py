"""The table of patrons."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base


class Patron(Base):
    """What an account is to the library: its id is the account's. keeps_history: chosen by the patron alone."""

    id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, sort_order=-10)
    card_number: Mapped[str] = mapped_column(String(20), unique=True)
    category: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date]
    blocked_reason: Mapped[str | None] = mapped_column(String(500))
    suspended_until: Mapped[date | None]
    keeps_history: Mapped[bool] = mapped_column(default=False)

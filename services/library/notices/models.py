"""The table of notices."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import one_of

from ..base import Base

Kind: TypeAlias = Literal["due_soon", "overdue", "renewed", "hold_ready", "hold_expired"]
LONGEST_SUBJECT: Final = 200


class Notice(Base):
    """Something that a patron was told, by mail too. once_key: nobody is told the same twice."""

    patron_id: Mapped[UUID] = mapped_column(ForeignKey("patrons.id"), index=True)
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    text: Mapped[str] = mapped_column(Text)
    once_key: Mapped[str] = mapped_column(String(120))
    read_at: Mapped[datetime | None]

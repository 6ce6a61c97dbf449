"""The tables of notices and of what people want by mail."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.fields import one_of

Kind: TypeAlias = Literal["verification", "reservation", "visit", "calendar", "message", "review", "alert"]

# What somebody has to know to keep an appointment or a right is mailed whatever they prefer.
ESSENTIAL: frozenset[Kind] = frozenset({"verification", "reservation", "visit"})
LONGEST_SUBJECT = 200


class Notice(Base):
    """Something that a person was told. link: the path of what it is about, in this API.

    once_key: two notices of one person never have the same.
    """

    __table_args__ = (Index("ix_notices_unread", "user_id", "read_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    text: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(String(500))
    read_at: Mapped[datetime | None]
    once_key: Mapped[str | None] = mapped_column(String(120))


class NoticePreference(Base):
    """Whether a person wants one kind of notice by mail, too. Without a row they do."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    mail: Mapped[bool]

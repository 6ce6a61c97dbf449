"""The table of reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Reason: TypeAlias = Literal["spam", "fraud", "harassment", "off_platform", "other"]
Status: TypeAlias = Literal["open", "upheld", "dismissed"]


class Report(Base):
    """One side of a thread finds a message, or all of them, to be against the rules.

    As long as it is open staff may read that thread. decision: what the moderator wrote down; staff alone read it.
    """

    __table_args__ = (Index("ix_reports_thread", "thread_id", "status"),)

    reporter_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    thread_id: Mapped[UUID] = mapped_column(ForeignKey("threads.id"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id"))
    reason: Mapped[Reason] = mapped_column(one_of(Reason))
    text: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[Status] = mapped_column(one_of(Status), default="open", index=True)
    decision: Mapped[str | None] = mapped_column(String(1000))
    moderator_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]

    thread: Mapped[Any] = relationship("Thread")

"""The tables of threads and their messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base


class Thread(Base):
    """What a tenant and a landlord write each other about a listing, or about one reservation of it.

    The counts are changed under the row's lock together with the messages, so that they do not drift. The names are
    first names as they were when the thread was opened. Once a side has left, or a moderator says so, it is closed.
    """

    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)
    reservation_id: Mapped[UUID | None] = mapped_column(ForeignKey("reservations.id"), index=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    landlord_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    tenant_name: Mapped[str] = mapped_column(String(100))
    landlord_name: Mapped[str] = mapped_column(String(100))
    message_count: Mapped[int] = mapped_column(default=0)
    tenant_unread: Mapped[int] = mapped_column(default=0)
    landlord_unread: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]

    property: Mapped[Any] = relationship("Property")


class Message(Base):
    """One message. number: its place in the thread, from 1. Who leaves takes the text along."""

    __table_args__ = (Index("ix_messages_sent", "sender_id", "created_at"),)

    thread_id: Mapped[UUID] = mapped_column(ForeignKey("threads.id"), index=True)
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)

    thread: Mapped[Thread] = relationship("Thread")


class BlockedPerson(Base):
    """A person whom `user_id` does not want to hear from. name: a first name, as it stood in the thread."""

    __tablename__ = "blocked_people"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    blocked_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    thread_id: Mapped[UUID] = mapped_column(ForeignKey("threads.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))

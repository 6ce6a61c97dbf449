"""The tables of calendars that are imported, and of the secret addresses under which ours are given out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Status: TypeAlias = Literal["new", "synced", "failed"]


class Calendar(Base):
    """A calendar of a property kept elsewhere: at an address that is asked again and again, or as a file that was sent.

    `file` is what was sent, or what the address answered last. `events` and `synced_at` speak of the last import that
    went well; a later one that failed leaves them, says why in `failure`, and is counted in `failures` until one goes
    well again. `etag` and `last_modified` are the address's own words for what it answered; `next_sync_at` is when it
    is asked again.
    """

    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    url: Mapped[str | None] = mapped_column(String(2000))
    file: Mapped[str | None] = mapped_column(Text)
    status: Mapped[Status] = mapped_column(one_of(Status), default="new")
    failure: Mapped[str | None] = mapped_column(String(500))
    failures: Mapped[int] = mapped_column(default=0)
    events: Mapped[int] = mapped_column(default=0)
    synced_at: Mapped[datetime | None]
    etag: Mapped[str | None] = mapped_column(String(200))
    last_modified: Mapped[str | None] = mapped_column(String(200))
    next_sync_at: Mapped[datetime | None] = mapped_column(index=True)

    property: Mapped[Any] = relationship("Property")


class CalendarFeed(Base):
    """The secret address of a property's calendar: whoever knows `token` reads it, listed or not."""

    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), unique=True)
    token: Mapped[str] = mapped_column(String(60), unique=True)

    property: Mapped[Any] = relationship("Property")

"""The tables of saved searches, and of what their owners were told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base


class SavedSearch(Base):
    """What a person asks of the list of properties, kept. query: the parameters, as they stand behind the `?`.

    alerts_since: what was listed before is no news to its owner. checked_at: when it was looked at last.
    """

    __table_args__ = (Index("ix_saved_searches_due", "alerts", "checked_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    query: Mapped[str] = mapped_column(Text)
    alerts: Mapped[bool] = mapped_column(default=True)
    alerts_since: Mapped[datetime]
    checked_at: Mapped[datetime]


class SearchAlert(Base):
    """The owner of a saved search was told of a listing: once, however often it comes and goes."""

    __table_args__ = (UniqueConstraint("search_id", "property_id"),)

    search_id: Mapped[UUID] = mapped_column(ForeignKey("saved_searches.id"))
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)

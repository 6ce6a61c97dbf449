"""The table of mandates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base
from freehold.fields import one_of

Status: TypeAlias = Literal["offered", "active", "ended"]


class Mandate(Base):
    """A landlord asks an agent to act for one property. While it is active, the property's `agent_id` is the agent."""

    landlord_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)
    status: Mapped[Status] = mapped_column(one_of(Status), default="offered", index=True)
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    property: Mapped[Any] = relationship("Property")

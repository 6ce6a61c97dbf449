"""The table of favourites."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from freehold import Base


class Favourite(Base):
    """A listing that a person has put aside. It stays when the listing goes off the market, and shows none then."""

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    property_id: Mapped[UUID] = mapped_column(ForeignKey("properties.id"), index=True)

    property: Mapped[Any] = relationship("Property")

"""The table of reviews."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..base import Base


class Review(Base):
    """A review. `Base` adds the id, the instants of creation and change, and the version behind the ETag."""

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    rating: Mapped[int] = mapped_column(index=True)
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"), index=True)

    book: Mapped[Any] = relationship("Book", lazy="raise")

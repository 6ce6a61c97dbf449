"""The table of books."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import folded, search_document

from ..base import Base


class Book(Base):
    """A book. `Base` adds the id, the instants of creation and change, and the version behind the ETag."""

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = folded("title", index=True)
    author: Mapped[str] = mapped_column(String(200))
    author_key: Mapped[str] = folded("author", index=True)
    year: Mapped[int] = mapped_column(index=True)
    publisher: Mapped[str | None] = mapped_column(String(200))
    page_count: Mapped[int | None]
    language: Mapped[str | None] = mapped_column(String(2))
    is_published: Mapped[bool] = mapped_column(default=False, index=True)
    search: Mapped[str] = search_document("title", "author")

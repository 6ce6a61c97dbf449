"""The table of titles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.fields import folded, search_document

from ..base import Base


class Book(Base):
    """A title, of which a library may have copies. isbn13 is the number, isbn its short form where it has one.

    times_borrowed: counted up by the commit of each loan. source_id: what it was imported as.
    """

    __table_args__ = (Index("ix_books_popular", "times_borrowed", "id"),)

    title: Mapped[str] = mapped_column(String(500))
    author: Mapped[str] = mapped_column(String(1000))
    isbn: Mapped[str | None] = mapped_column(String(10), index=True)
    isbn13: Mapped[str | None] = mapped_column(String(13))
    language: Mapped[str | None] = mapped_column(String(16), index=True)
    year: Mapped[int | None] = mapped_column(index=True)
    average_rating: Mapped[float | None] = mapped_column(index=True)
    ratings_count: Mapped[int] = mapped_column(default=0, server_default="0")
    times_borrowed: Mapped[int] = mapped_column(default=0, server_default="0", index=True)
    source_id: Mapped[str | None] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None]
    title_key: Mapped[str] = folded("title", index=True, contains=True)
    author_key: Mapped[str] = folded("author", index=True, contains=True)
    search: Mapped[str] = search_document("title", "author")

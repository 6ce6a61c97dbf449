"""The table of accounts."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import UserMixin
from freehold.fields import folded

from ..base import Base


class User(UserMixin, Base):
    """Somebody who logs in. What they are to the library stands with the patrons.

    language: of their letters and notices; without one they read English.
    """

    language: Mapped[str | None] = mapped_column(String(20))
    full_name_key: Mapped[str] = folded("full_name", index=True)

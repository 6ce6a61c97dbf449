"""The table of accounts."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from freehold import UserMixin
from freehold.fields import folded

from ..base import Base


class User(UserMixin, Base):
    """Somebody who logs in. What they are to the library stands with the patrons."""

    full_name_key: Mapped[str] = folded("full_name", index=True)

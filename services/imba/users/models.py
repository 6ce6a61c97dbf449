"""The table of accounts."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base, UserMixin
from freehold.fields import one_of

Account: TypeAlias = Literal["tenant", "landlord", "agent"]


class User(UserMixin, Base):
    """A person. `account` is what they registered as, and gives them the role of that name; staff have none.

    language: of their letters and notices; without one they read English.
    """

    account: Mapped[Account | None] = mapped_column(one_of(Account))
    language: Mapped[str | None] = mapped_column(String(20))

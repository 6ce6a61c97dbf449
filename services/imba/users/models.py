"""The table of accounts."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base, UserMixin

from ..fields import one_of

Account: TypeAlias = Literal["tenant", "landlord"]


class User(UserMixin, Base):
    """A person. `account` is what they registered as, and gives them the role of that name; staff have none."""

    account: Mapped[Account | None] = mapped_column(one_of(Account))

"""`UserMixin`: the columns that identity needs. A service adds its own beside them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold.identity.emails import email_key


class UserMixin:
    """Put it before `Base`: `class User(UserMixin, Base): phone: Mapped[str | None]`.

    email_key: what makes two addresses one account (NFKC, case folded); unique, kept by `set_email`. roles: names, as
    they stand now. deleted_at: when the person's data was erased; the row stays for what other people's records need.
    """

    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(960), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255), default=None)
    full_name: Mapped[str] = mapped_column(String(200), default="")
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)

    def set_email(self, address: str) -> None:
        """Take on another address, not verified yet."""
        self.email = address
        self.email_key = email_key(address)
        self.email_verified_at = None

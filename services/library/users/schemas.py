"""What clients send and see of an account, beyond what every service has."""

from __future__ import annotations

from pydantic import MISSING, Field

from freehold.identity import UserCreate, UserRead, UserUpdate

from ..wording import Language


class Registration(UserCreate):
    """A new account."""

    language: Language | None = Field(
        default=None, description="Of letters and notices; where absent, what Accept-Language asks for"
    )


class ProfileChange(UserUpdate):
    """A change to one's own account; absent differs from null."""

    language: Language | MISSING | None = Field(default=MISSING, description="Of letters and notices; null: English")


class UserProfile(UserRead):
    """An account."""

    language: str | None

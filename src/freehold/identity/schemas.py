"""What clients send and get about accounts. A service gives wider ones of its own to `Identity`."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from freehold.identity.emails import Email
from freehold.identity.passwords import LONGEST
from freehold.resource.values import LINE_PATTERN

_LINE = re.compile(LINE_PATTERN)


def _one_line(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise ValueError("must not be empty")
    if not _LINE.fullmatch(text):
        raise ValueError("must not hold control characters")
    return text


FullName = Annotated[str, Field(min_length=1, max_length=200, examples=["Ada Lovelace"]), AfterValidator(_one_line)]
# Lengths are the policy's business, which also knows the reason; this bound only keeps nonsense out of it.
Password = Annotated[SecretStr, Field(max_length=4 * LONGEST, examples=["lantern quarry velvet 42"])]


class Strict(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class UserCreate(Strict):
    """A registration. Roles are not part of it: staff give them."""

    email: Email
    password: Password
    full_name: FullName


class UserUpdate(Strict):
    """A change to one's own account; absent differs from null."""

    # Not sent is not set; a default in the document would have to fit the type, and nobody's name does.
    full_name: FullName = Field(default_factory=str)


class UserRead(BaseModel):
    """An account, without anything that could log in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    full_name: str
    roles: list[str]
    is_active: bool
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime


def plain(secret: Any) -> str:
    """The text of a password field."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else str(secret)

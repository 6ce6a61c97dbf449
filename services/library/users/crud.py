"""What other features ask of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select

from freehold import Session
from freehold.fields import fold
from freehold.identity import email_key

from .models import User


class Receiver(NamedTuple):
    """Where somebody gets mail, and in which language."""

    email: str
    language: str | None


async def is_active(db: Session, user_id: UUID) -> bool:
    """Whether there is such an account, and it is open. For a session in system scope."""
    user = await db.get(User, user_id)
    return user is not None and user.is_active and user.deleted_at is None


async def receiver(db: Session, user_id: UUID) -> Receiver | None:
    """Whom to write to; None where the account is gone. For a session in system scope."""
    user = await db.get(User, user_id)
    if user is None or not user.is_active or user.deleted_at is not None:
        return None
    return Receiver(user.email, user.language)


async def find(db: Session, text: str, *, limit: int) -> Sequence[User]:
    """Accounts whose name begins so, accents and case apart, or whose address this is. For a session in system scope."""
    begins = User.full_name_key.startswith(fold(text), autoescape=True)
    wanted = select(User).where(or_(begins, User.email_key == email_key(text)), User.deleted_at.is_(None))
    return (await db.scalars(wanted.order_by(User.full_name_key, User.id).limit(limit))).all()


async def get(db: Session, user_id: UUID) -> User:
    """The account. For a session in system scope."""
    return await db.get_one(User, user_id)


async def exists(db: Session, email: str) -> bool:
    """Whether an account has this address. For a session in system scope."""
    return (await db.scalars(select(User.id).where(User.email_key == email_key(email)))).first() is not None

"""What other features ask of accounts."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from freehold import Forbidden, Principal, Session
from freehold.errors import InsufficientAuthentication
from freehold.identity import TWO_FACTORS

from ..settings import ImbaSettings
from .models import User


class Receiver(NamedTuple):
    """Where somebody gets mail, and in which language."""

    email: str
    language: str | None


class AccountClosed(Forbidden):
    """The account has been erased or closed; a log-in of it may live a few seconds longer."""

    code, title = "imba.account_closed", "This account is closed"


class EmailNotVerified(Forbidden):
    """The account's e-mail address has not been verified, and this operation asks for that."""

    code, title = "imba.email_not_verified", "Verify your e-mail address first"


async def get(db: Session, user_id: UUID) -> User:
    """The account, as far as the session's caller may see it: one's own is always there."""
    return await db.get_one(User, user_id)


async def lock(db: Session, user_id: UUID) -> User:
    """The account, with its row locked until the commit: a turnstile for what must not happen twice at once."""
    locked = select(User).where(User.id == user_id).with_for_update()
    return (await db.scalars(locked, execution_options={"populate_existing": True})).one()


async def take_turns(db: Session, caller_id: UUID, *others: UUID) -> None:
    """Keep what these people do in turns until the commit, and their accounts from being erased meanwhile.

    Locks the rows by id, so that two who wait for each other cannot be. Raises AccountClosed where the caller's is
    gone: a person who leaves takes along what is there at that moment, and nothing may come after it.
    """
    async with db.unscoped("people take turns") as system_db:
        locked = select(User.id, User.is_active).where(User.id.in_({caller_id, *others})).order_by(User.id)
        rows = (await system_db.execute(locked.with_for_update(key_share=True))).all()
    if not any(row.id == caller_id and row.is_active for row in rows):
        raise AccountClosed("This account is closed.")


def require_verified_email(db: Session, user: User) -> None:
    """Raise EmailNotVerified where the settings ask for a verified address and this one is not."""
    if db.part(ImbaSettings).require_verified_email and user.email_verified_at is None:
        raise EmailNotVerified("Verify your e-mail address first; the link was sent to it.")


def require_factor(db: Session, actor: Principal) -> None:
    """Raise InsufficientAuthentication where the settings ask for a second factor and this log-in proved none."""
    if db.part(ImbaSettings).require_factor and not (actor.has_factor or actor.is_system):
        raise InsufficientAuthentication(acr_values=TWO_FACTORS)


async def receiver(db: Session, user_id: UUID) -> Receiver | None:
    """Whom to write to; None where the account is gone. For a session in system scope."""
    user = await db.get_one(User, user_id)
    return Receiver(user.email, user.language) if user.is_active and user.deleted_at is None else None


async def is_agent(db: Session, user_id: UUID) -> bool:
    """Whether somebody can act for landlords. For a session in system scope."""
    user = await db.get(User, user_id)
    return user is not None and user.is_active and "agent" in user.roles


async def first_name(db: Session, user_id: UUID) -> str:
    """What the other side of a thread or a stay calls them. For a session in system scope."""
    words = (await db.get_one(User, user_id)).full_name.split()
    return words[0][:100] if words else ""


async def exists(db: Session, email: str) -> bool:
    """Whether an account has this address, written as it was registered. For the demo's own accounts."""
    async with db.unscoped("the landing page tells whether demo data is loaded") as system_db:
        return (await system_db.scalars(select(User.id).where(User.email == email))).first() is not None

"""Tokens that travel by mail: good once, for half an hour, and only the newest of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, select

from freehold.errors import FieldError, Invalid
from freehold.identity.sealing import new_token, token_hash
from freehold.identity.tables import ONE_TIME_TOKENS
from freehold.resource import clock
from freehold.store.upserts import put

if TYPE_CHECKING:
    from freehold.store.session import Session

VERIFICATION = "verification"
RESET = "reset"
ADDRESS = "address"
LOG_IN = "log-in"
LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose token it was, and the address that it was mailed to."""

    user_id: UUID
    email_key: str
    purpose: str
    payload: str | None = None


async def issue(
    session: Session,
    *,
    user_id: UUID,
    purpose: str,
    email_key: str,
    payload: str | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A new token; any earlier one of this user and purpose is dead. payload: what it says besides."""
    token = new_token("fho_")
    values = {
        "token_hash": token_hash(token),
        "email_key": email_key,
        "payload": payload,
        "created_at": clock.now(),
        "expires_at": clock.now() + lifetime,
    }
    await put(session, ONE_TIME_TOKENS, {"user_id": user_id, "purpose": purpose}, values)
    return token


async def is_fresh(session: Session, user_id: UUID, *, purpose: str) -> bool:
    """Whether this user has a token that is good for half of its time yet."""
    columns = ONE_TIME_TOKENS.c
    until = clock.now() + LIFETIME / 2
    alive = select(columns.user_id).where(
        columns.user_id == user_id, columns.purpose == purpose, columns.expires_at > until
    )
    return (await session.execute(alive)).first() is not None


async def find(session: Session, token: str, *, purpose: str) -> Proof:
    """Whose token it is, without using it up. Raises Invalid."""
    columns = ONE_TIME_TOKENS.c
    row = (
        await session.execute(
            select(columns.user_id, columns.email_key, columns.purpose, columns.payload).where(
                columns.token_hash == token_hash(token),
                columns.purpose == purpose,
                columns.expires_at > clock.now(),
            )
        )
    ).first()
    if row is None:
        raise unknown_token()
    return Proof(row.user_id, row.email_key, row.purpose, row.payload)


async def redeem(
    session: Session, token: str, *, purpose: str, or_purpose: str | None = None, payload: str | None = None
) -> Proof:
    """Use the token up: of many who try at once, one succeeds. payload: what it has to say besides. Raises Invalid."""
    columns = ONE_TIME_TOKENS.c
    says_so = () if payload is None else (columns.payload == payload,)
    row = (
        await session.execute(
            delete(ONE_TIME_TOKENS)
            .where(
                columns.token_hash == token_hash(token),
                columns.purpose.in_([purpose, or_purpose or purpose]),
                columns.expires_at > clock.now(),
                *says_so,
            )
            .returning(columns.user_id, columns.email_key, columns.purpose, columns.payload)
        )
    ).first()
    if row is None:
        raise unknown_token()
    return Proof(row.user_id, row.email_key, row.purpose, row.payload)


async def forget(session: Session, user_id: UUID) -> None:
    """Every token of this user is dead."""
    await session.execute(delete(ONE_TIME_TOKENS).where(ONE_TIME_TOKENS.c.user_id == user_id))


def unknown_token() -> Invalid:
    """Unknown, used, too old or not the newest: one answer."""
    fault = FieldError("token.invalid", "The link is used, too old, or not the newest one.", pointer="/token")
    return Invalid("The link is not good any more; ask for a new one.", code="identity.token_invalid", errors=[fault])

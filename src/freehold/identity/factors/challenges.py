"""Challenges of passkeys: bound to who asked, good once, for five minutes (WebAuthn L3 13.4.3)."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import delete

from freehold.identity.factors.tables import CHALLENGES
from freehold.identity.sealing import token_hash
from freehold.resource import clock
from freehold.store.upserts import put

if TYPE_CHECKING:
    from freehold.store.session import Session

LIFETIME: Final = timedelta(minutes=5)
REGISTRATION: Final = "registration"
LOGIN: Final = "login"
_BYTES: Final = 32


def of_session(session_id: UUID) -> bytes:
    """The holder that a log-in is."""
    return session_id.bytes


def of_step(step_token: str) -> bytes:
    """The holder that a step token is."""
    return token_hash(step_token)


async def issue(session: Session, holder: bytes, purpose: str) -> bytes:
    """A new challenge; an earlier one of this holder and purpose is dead."""
    values = {"challenge": os.urandom(_BYTES), "expires_at": clock.now() + LIFETIME}
    await put(session, CHALLENGES, {"holder": holder, "purpose": purpose}, values)
    return values["challenge"]  # type: ignore[return-value]


async def take(session: Session, holder: bytes, purpose: str) -> bytes | None:
    """The challenge, which is used up by this, also where what signs it is refused; None where there is none."""
    columns = CHALLENGES.c
    taken = await session.execute(
        delete(CHALLENGES)
        .where(columns.holder == holder, columns.purpose == purpose)
        .returning(columns.challenge, columns.expires_at)
    )
    row = taken.first()
    return None if row is None or row.expires_at <= clock.now() else bytes(row.challenge)


async def sweep(session: Session) -> None:
    """Remove those whose time is over."""
    await session.execute(delete(CHALLENGES).where(CHALLENGES.c.expires_at < clock.now()))

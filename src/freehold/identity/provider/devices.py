"""Device authorization (RFC 8628): a device without a browser asks, a person allows it on another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from freehold.identity.provider.codes import Visit
from freehold.identity.provider.faults import OAuthError, invalid_grant
from freehold.identity.provider.tables import CLIENTS, DEVICES
from freehold.identity.sealing import new_token, token_hash
from freehold.resource import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freehold.store.session import Session

PREFIX = "fhd_"
LIFETIME = timedelta(minutes=10)
INTERVAL_SECONDS = 5
# RFC 8628 6.1: no vowels, so that no words come up, and no letters that look alike. 20 to the 8th codes.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Begun:
    """What the device gets: its own code, and the one that it shows to the person."""

    device_code: str
    user_code: str


async def begin(session: Session, client_id: UUID, scope: Iterable[str]) -> Begun:
    """Write down that a device waits."""
    device_code = new_token(PREFIX)
    user_code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    await session.execute(
        insert(DEVICES).values(
            device_hash=token_hash(device_code),
            user_code=user_code,
            client_id=client_id,
            scope=" ".join(sorted(scope)),
            state="waiting",
            interval_seconds=INTERVAL_SECONDS,
            expires_at=clock.now() + LIFETIME,
        )
    )
    return Begun(device_code, shown(user_code))


def shown(user_code: str) -> str:
    """In two halves, as people read it."""
    return f"{user_code[:4]}-{user_code[4:]}"


async def find(session: Session, typed: str) -> Any | None:
    """The device that waits under a code, with its `client_name`, however it was typed: case, spaces and hyphens do not count."""
    code = "".join(letter for letter in typed.upper() if letter in _LETTERS)
    if len(code) != _LENGTH:
        return None
    columns = DEVICES.c
    waiting = (columns.user_code == code, columns.state == "waiting", columns.expires_at > clock.now())
    query = select(DEVICES, CLIENTS.c.name.label("client_name")).join(CLIENTS, CLIENTS.c.id == columns.client_id)
    return (await session.execute(query.where(*waiting))).one_or_none()


async def answer(session: Session, user_code: str, visit: Visit, *, allowed: bool) -> bool:
    """What the person says. Whether the device was still waiting: it is answered once."""
    columns = DEVICES.c
    said = {
        "state": "allowed" if allowed else "denied",
        "user_id": visit.user_id,
        "login_id": visit.login_id,
        "authenticated_at": visit.authenticated_at,
    }
    waiting = (columns.user_code == user_code, columns.state == "waiting", columns.expires_at > clock.now())
    changed = await session.execute(update(DEVICES).where(*waiting).values(said).returning(columns.user_code))
    return changed.first() is not None


async def poll(session: Session, device_code: str, client_id: UUID) -> Any | OAuthError:
    """The row of a device that was allowed, which is used up; else what the device is told (RFC 8628 3.5)."""
    columns = DEVICES.c
    mine = (columns.device_hash == token_hash(device_code), columns.client_id == client_id)
    row = (await session.execute(select(DEVICES).where(*mine).with_for_update())).one_or_none()
    if row is None:
        return invalid_grant()
    now, change = clock.now(), update(DEVICES).where(*mine)
    if row.expires_at <= now:
        return OAuthError("expired_token", "The code is too old: begin again.")
    if row.state == "waiting":
        if row.polled_at is not None and now - row.polled_at < timedelta(seconds=row.interval_seconds):
            await session.execute(change.values(polled_at=now, interval_seconds=row.interval_seconds + 5))
            return OAuthError("slow_down", "Ask less often: five seconds more between two questions from now on.")
        await session.execute(change.values(polled_at=now))
        return OAuthError("authorization_pending", "The person has not answered yet.")
    await session.execute(delete(DEVICES).where(*mine))
    if row.state == "denied":
        return OAuthError("access_denied", "The person has said no.")
    return row


async def sweep(session: Session) -> None:
    """Remove what nobody answered."""
    await session.execute(delete(DEVICES).where(DEVICES.c.expires_at < clock.now() - LIFETIME))

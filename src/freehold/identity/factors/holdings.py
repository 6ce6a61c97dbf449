"""The second factors that an account has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import delete, exists, literal, select, union_all

from freehold.identity.factors import steps
from freehold.identity.factors.tables import PASSKEYS, RECOVERY_CODES, TOTP_SECRETS

if TYPE_CHECKING:
    from freehold.store.session import Session

TOTP: Final = "totp"
PASSKEY: Final = "passkey"
RECOVERY_CODE: Final = "recovery_code"


@dataclass(frozen=True, slots=True)
class Held:
    """One factor of an account, without anything that could be used as one."""

    id: UUID
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


async def listed(session: Session, user_id: UUID) -> list[Held]:
    """Those that count, the oldest first."""
    parts = [
        select(literal(kind).label("kind"), *(table.c[name] for name in ("id", "name", "created_at", "last_used_at")))
        .where(table.c.user_id == user_id)
        .where(table.c.confirmed_at.is_not(None) if table is TOTP_SECRETS else literal(value=True))
        for kind, table in ((TOTP, TOTP_SECRETS), (PASSKEY, PASSKEYS))
    ]
    rows = await session.execute(union_all(*parts))
    held = [Held(row.id, row.kind, row.name, row.created_at, row.last_used_at) for row in rows]
    return sorted(held, key=lambda each: each.created_at)


async def kinds(session: Session, user_id: UUID) -> list[str]:
    """The kinds that the account can prove; empty where it has no factor. Recovery codes alone are none."""
    totp = exists().where(TOTP_SECRETS.c.user_id == user_id, TOTP_SECRETS.c.confirmed_at.is_not(None))
    passkey = exists().where(PASSKEYS.c.user_id == user_id)
    codes = exists().where(RECOVERY_CODES.c.user_id == user_id)
    found = (await session.execute(select(totp, passkey, codes))).one()
    if not any(found[:2]):
        return []
    return [kind for kind, there in zip((TOTP, PASSKEY, RECOVERY_CODE), found, strict=True) if there]


async def remove(session: Session, user_id: UUID, factor_id: UUID) -> str | None:
    """Remove one; its kind. None where the account has no such factor."""
    for kind, table in ((TOTP, TOTP_SECRETS), (PASSKEY, PASSKEYS)):
        gone = delete(table).where(table.c.id == factor_id, table.c.user_id == user_id).returning(table.c.id)
        if (await session.execute(gone)).first() is not None:
            return kind
    return None


async def forget(session: Session, user_id: UUID) -> None:
    """Remove every trace of the account's factors."""
    await steps.forget(session, user_id)
    for table in (TOTP_SECRETS, PASSKEYS, RECOVERY_CODES):
        await session.execute(delete(table).where(table.c.user_id == user_id))


async def forget_codes(session: Session, user_id: UUID) -> None:
    """The recovery codes are dead: they stand in for a factor, and there is none left."""
    await session.execute(delete(RECOVERY_CODES).where(RECOVERY_CODES.c.user_id == user_id))

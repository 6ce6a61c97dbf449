"""Identifiers that may come once: `jti` of assertions and proofs. Of many who bring one at once, one is the first."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete

from freehold.identity.provider.tables import SEEN
from freehold.resource import clock
from freehold.store.upserts import insert_into

if TYPE_CHECKING:
    from freehold.store.session import Session


async def is_first(session: Session, *parts: str, until: datetime) -> bool:
    """Whether these are seen for the first time; remembered until then. Commits with the unit."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    statement = insert_into(session, SEEN).values(digest=digest, expires_at=until).on_conflict_do_nothing()
    return (await session.execute(statement.returning(SEEN.c.digest))).first() is not None


async def sweep(session: Session) -> None:
    """Forget what could not come again anyway."""
    await session.execute(delete(SEEN).where(SEEN.c.expires_at < clock.now()))

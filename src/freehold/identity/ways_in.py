"""What opens an account besides its password and its log-ins: factors, linked identities, keys, what applications may do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete

from freehold.identity.api_keys.tables import API_KEYS
from freehold.identity.factors import holdings
from freehold.identity.provider import consents
from freehold.identity.social import attempts, linked

if TYPE_CHECKING:
    from freehold.store.session import Session


async def forget(db: Session, user_id: UUID) -> None:
    """Remove them all. What applications hold are log-ins, which whoever calls this ends (`Sessions.end_all`)."""
    await holdings.forget(db, user_id)
    await linked.forget(db, user_id)
    await attempts.forget(db, user_id)
    await consents.forget(db, user_id)
    await db.execute(delete(API_KEYS).where(API_KEYS.c.owner_id == user_id))

"""For whoever has lost every factor and every recovery code, and has shown staff who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from freehold.identity.service import Parts
    from freehold.store.session import Session


async def reset(parts: Parts, session: Session, user_id: UUID) -> None:
    """Remove every factor of an account and end its log-ins; its owner is told. Raises NotFound.

    Where a factor is required the next log-in sets one up, so whoever has the password by then is let in by it alone.
    """
    async with session.unscoped("staff help who has lost their factors") as db:
        user = await parts.accounts.get(db, user_id, lock=True)
        await parts.sessions.end_all(db, user_id, by="staff")
        await parts.factors.desk.remove_all(db, user)

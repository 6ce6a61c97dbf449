"""The first time that anybody proves the address of an account by a mailed link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from freehold.identity import one_time
from freehold.identity.api_keys.tables import API_KEYS
from freehold.identity.factors import holdings
from freehold.identity.social import linked

if TYPE_CHECKING:
    from freehold.identity.factors.desk import Desk
    from freehold.identity.sessions import Sessions
    from freehold.store.session import Session


async def begin_anew(session: Session, user: Any, *, sessions: Sessions, desk: Desk) -> None:
    """Take from an account every way in that there was before its address was proved.

    Somebody else may have registered with the address and wait for its owner to come: with a password, a log-in, a key, a
    factor or a linked identity of theirs they would be in the account from then on. Its owner sets a password anew.
    """
    user.password_hash = None
    await sessions.end_all(session, user.id, by="account")
    await one_time.forget(session, user.id)
    if await holdings.kinds(session, user.id):
        await desk.remove_all(session, user)
    await linked.forget(session, user.id)
    await session.execute(delete(API_KEYS).where(API_KEYS.c.owner_id == user.id))

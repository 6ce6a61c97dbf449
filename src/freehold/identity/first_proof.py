"""The first time that anybody proves the address of an account, by a link that was mailed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freehold.identity import ways_in
from freehold.resource import clock
from freehold.store.audit import record

if TYPE_CHECKING:
    from freehold.store.session import Session


async def prove_address(session: Session, user: Any) -> bool:
    """Note that the address is proved; whether it was not before.

    Then somebody else may have registered it, and wait for its owner to come: what they left to come in by is gone, second
    factors too. Password and log-ins are for whoever calls this to end.
    """
    if user.email_verified_at is not None:
        return False
    user.email_verified_at = clock.now()
    await ways_in.forget(session, user.id)
    await record(session, "user.unproved_access_removed", subject_type="user", subject_id=user.id)
    return True

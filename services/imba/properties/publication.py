"""Putting a listing on the market: the one rule that asks the verification feature."""

from __future__ import annotations

from freehold import Conflict, Principal, Session
from freehold.fields import now

from ..users import crud as users
from ..verification import crud as verification
from . import events
from .lifecycle import require_not_archived
from .models import Property


class NotVerified(Conflict):
    """The landlord's identity or this property has not been verified."""

    code, title = "imba.not_verified", "Not verified"


async def publish(db: Session, actor: Principal, listing: Property) -> Property:
    """Put the listing on the market. Without effect on one that is listed.

    Races with a revocation: the listing's row, locked by now, is the turnstile, and after it the account's row. The
    revocation takes both in the same order, so either it has committed and is seen below, or it waits and unlists
    what is listed here.
    """
    require_not_archived(listing)
    users.require_factor(db, actor)
    async with db.unscoped("an agent publishes what rests on the landlord's checks") as system_db:
        landlord = await users.lock(system_db, listing.landlord_id)
        users.require_verified_email(db, landlord)
        missing = [
            name
            for name, subject_id in (("the landlord's identity", listing.landlord_id), ("this property", listing.id))
            if not await verification.is_verified(system_db, subject_id)
        ]
    if missing:
        raise NotVerified(f"Not verified yet: {' and '.join(missing)}.")
    if listing.status != "listed":
        listing.status, listing.listed_at = "listed", now()
        await events.published.emit(db, listing)
    return listing

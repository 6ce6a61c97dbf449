"""What registering, asking for one's data, and leaving mean here. Called by Freehold's identity."""

from __future__ import annotations

from typing import Any

from freehold import Conflict, Session

from ..fines import crud as fines
from ..holds import crud as holds
from ..loans import crud as loans
from ..loans import remembering
from ..notices import crud as notices
from ..patrons import crud as patrons
from .models import User
from .schemas import Registration


class NotSettled(Conflict):
    """Who has books of the library, or owes it something, settles that before leaving."""

    code, title = "library.not_settled", "Something is still open"


async def welcome(db: Session, user: User, draft: Registration) -> None:
    """Whoever registers is a patron, with a card."""
    user.roles = ["patron"]
    await db.flush()
    db.add(await patrons.issue(db, user.id))


async def export(db: Session, user: User) -> dict[str, Any]:
    """What the features hold about a person, by feature."""
    return {
        "patron": await patrons.held_about(db, user.id),
        "loans": await loans.held_about(db, user.id),
        "holds": await holds.held_about(db, user.id),
        "notices": await notices.held_about(db, user.id),
        **await fines.held_about(db, user.id),
    }


async def erase(db: Session, user: User) -> None:
    """Give up what the person waits for and forget what they read. Raises NotSettled."""
    await holds.give_up_all(db, user.id)
    if await remembering.has_open(db, user.id):
        raise NotSettled("Bring back what you have first.")
    if await fines.owed(db, user.id):
        raise NotSettled("Pay what you owe first.")
    await remembering.forget_of(db, user.id)
    await notices.erase(db, user.id)
    await patrons.erase(db, user.id)

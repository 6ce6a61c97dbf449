"""What registering, asking for one's data, and leaving mean here. Called by Freehold's identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold import Session, webhooks
from freehold.wording import Phrase, phrase

from ..blocks import crud as blocks
from ..calendars import crud as calendars
from ..favourites import crud as favourites
from ..mandates import crud as mandates
from ..media import crud as media
from ..messages import crud as messages
from ..notices import crud as notices
from ..properties import crud as properties
from ..reports import crud as reports
from ..reservations import crud as reservations
from ..reviews import crud as reviews
from ..searches import crud as searches
from ..verification import crud as verification
from .models import User
from .schemas import Registration

LABELS: Mapping[str, Phrase] = {
    "account": phrase("I am a"),
    "account.tenant": phrase("tenant"),
    "account.landlord": phrase("landlord"),
    "account.agent": phrase("agent"),
}
"""Of the fields that the registration page shows beside those of every service."""


def give_role(db: Session, user: User, draft: Registration) -> None:
    """What one registers as is the role one gets; staff roles are given by staff alone."""
    user.roles = [draft.account]


async def export(db: Session, user: User) -> dict[str, Any]:
    """What the features hold about a person, by feature."""
    return {
        "properties": await properties.held_about(db, user.id),
        "blocks": await blocks.held_about(db, user.id),
        "calendars": await calendars.held_about(db, user.id),
        "reservations": await reservations.held_about(db, user.id),
        "mandates": await mandates.held_about(db, user.id),
        "reviews": await reviews.held_about(db, user.id),
        "reports": await reports.held_about(db, user.id),
        "saved_searches": await searches.held_about(db, user.id),
        "favourites": await favourites.held_about(db, user.id),
        "media": await media.held_about(db, user.id),
        "webhook_endpoints": await webhooks.held_about(db, user.id),
        "verification_requests": await verification.held_about(db, user.id),
        **await messages.held_about(db, user.id),
        **await notices.held_about(db, user.id),
    }


async def erase(db: Session, user: User) -> None:
    """Take the person's listings away and call off what is ahead. Past stays remain: the other side needs them."""
    await mandates.end_all(db, user.id)
    await properties.withdraw_all(db, user.id)
    await reservations.call_off_all(db, user.id)
    await calendars.erase(db, user.id)
    await reservations.give_up_all(db, user.id)
    await verification.close_all(db, user.id)
    await reviews.erase(db, user.id)
    await searches.erase(db, user.id)
    await favourites.erase(db, user.id)
    await messages.erase(db, user.id)
    await reports.erase(db, user.id)
    await notices.erase(db, user.id)
    await media.erase(db, user.id)
    await webhooks.erase(db, user.id)

"""What the people of the demo have kept and said: favourites, a thread, a stay that is over and its reviews, a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from freehold import Session
from freehold.fields import new_id, now

from .demo_accounts import LANDLORD, TENANT, DemoAccount
from .favourites.models import Favourite
from .messages.models import Message, Thread
from .properties import crud as properties
from .reviews.crud import WINDOW
from .reviews.models import Review
from .searches.models import SavedSearch

Row = dict[str, Any]
FAVOURITES = 4


async def fill(db: Session, listings: Sequence[Row], past_stay: Row, people: Mapping[DemoAccount, UUID]) -> None:
    """Add all of it around the first listings. For a session in system scope."""
    tenant, landlord = people[TENANT], people[LANDLORD]
    kept = [{"user_id": tenant, "property_id": each["id"]} for each in listings[:FAVOURITES]]
    await db.execute(insert(Favourite), kept)
    search = {"name": "Two bedrooms in Seattle", "query": "city=Seattle&bedrooms__gte=2&price_per=night"}
    await db.execute(insert(SavedSearch), [search | {"user_id": tenant, "alerts_since": now(), "checked_at": now()}])
    await _write(db, listings[1]["id"], tenant, landlord)
    await _review(db, past_stay, tenant, landlord)


async def _write(db: Session, property_id: UUID, tenant: UUID, landlord: UUID) -> None:
    said = [
        (tenant, "Hello! Is there a place to leave two bicycles?"),
        (landlord, "Yes, the shed behind the house. The key hangs beside the door."),
        (tenant, "Perfect, thank you."),
    ]
    thread = {
        "id": new_id(),
        "property_id": property_id,
        "tenant_id": tenant,
        "landlord_id": landlord,
        "tenant_name": TENANT.full_name.split()[0],
        "landlord_name": LANDLORD.full_name.split()[0],
        "message_count": len(said),
        "landlord_unread": 1,
        "last_message_at": now(),
    }
    await db.execute(insert(Thread), [thread])
    messages = [
        {
            "thread_id": thread["id"],
            "sender_id": sender,
            "number": number,
            "text": text,
            "created_at": now() - timedelta(minutes=10 * (len(said) - number)),
        }
        for number, (sender, text) in enumerate(said, 1)
    ]
    await db.execute(insert(Message), messages)


async def _review(db: Session, stay: Row, tenant: UUID, landlord: UUID) -> None:
    known = {"reservation_id": stay["id"], "closes_at": stay["ends_at"] + WINDOW, "published_at": now()}
    of_the_house = {
        "subject": "property",
        "property_id": stay["property_id"],
        "guest_id": None,
        "author_id": tenant,
        "author_name": TENANT.full_name.split()[0],
        "rating": 5,
        "text": "Quiet street, warm rooms, and everything as described.",
        "answer": "Come again!",
        "answered_at": now(),
    }
    of_the_guest = {
        "subject": "guest",
        "property_id": None,
        "guest_id": tenant,
        "author_id": landlord,
        "author_name": LANDLORD.full_name.split()[0],
        "rating": 5,
        "text": "Left the house as it was.",
        "answer": None,
        "answered_at": None,
    }
    await db.execute(insert(Review), [known | of_the_house, known | of_the_guest])
    await properties.rate(db, [(stay["property_id"], of_the_house["rating"])])

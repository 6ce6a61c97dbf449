"""The people and things of a test: who they are, and what they did before it starts. All over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeAlias

from freehold.fields import now
from freehold.testing import Person

Json: TypeAlias = dict[str, Any]

COTTAGE: Json = {
    "title": "Lighthouse keeper's cottage",
    "description": "Two rooms above the tide.",
    "kind": "house",
    "city": "Anacortes",
    "region": "Washington",
    "postcode": "98221",
    "country": "US",
    "latitude": 48.5126,
    "longitude": -122.6127,
    "bedrooms": 2,
    "bathrooms": 1.5,
    "floor_area_sqm": 74,
    "year_built": 1908,
    "price_amount": 14500,
    "price_currency": "USD",
    "price_per": "night",
    "amenities": ["wood stove", "view"],
}


async def draft(landlord: Person, **changes: Any) -> Json:
    """A draft of the landlord's: the cottage, with changes."""
    return await landlord.made("/v1/properties", COTTAGE | changes)


async def verified(landlord: Person, reviewer: Person, property_id: str) -> tuple[str, str | None]:
    """Have the landlord (once) and the property verified. The ids of the property's request and the identity's."""
    asked = await landlord.post("/v1/verification-requests", {"subject": "identity"})
    identity = asked.json["id"] if asked.status == 201 else None
    request = await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": property_id})
    for each in filter(None, (identity, request["id"])):
        await reviewer.made(f"/v1/verification-requests/{each}/approval")
    return request["id"], identity


async def listed(landlord: Person, reviewer: Person, **changes: Any) -> Json:
    """A listed property of the landlord's."""
    property_id = (await draft(landlord, **changes))["id"]
    await verified(landlord, reviewer, property_id)
    answer = await landlord.put(f"/v1/properties/{property_id}/publication")
    assert answer.status == 200, answer.text
    body: Json = answer.json
    return body


def day(offset: int) -> date:
    """So many days from today, in UTC."""
    return now().date() + timedelta(days=offset)


def stay(property_id: str, arrival: int = 10, departure: int = 13, **changes: Any) -> Json:
    """A stay to ask for, in days from today."""
    dates = {"check_in": day(arrival).isoformat(), "check_out": day(departure).isoformat()}
    return {"kind": "stay", "property_id": property_id, "guests": 2} | dates | changes


async def reserved(tenant: Person, property_id: str, arrival: int = 10, departure: int = 13) -> Json:
    """A hold of the tenant's."""
    return await tenant.made("/v1/reservations", stay(property_id, arrival, departure))

"""What Imba tells those who have subscribed, by a real server of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from freehold import system
from freehold.testing import Receiver, Stage, receiving
from freehold.traffic import Fetcher
from freehold.webhooks import WebhookEndpoint

from .world import Person, listed, reserved

pytestmark = pytest.mark.anyio

RESERVATIONS = [f"reservation.{word}" for word in ("requested", "confirmed", "cancelled")]


@pytest.fixture
async def receiver(real_stage: Stage) -> AsyncIterator[Receiver]:
    real_stage.database.parts[Fetcher] = Fetcher(allowed=["127.0.0.1"])
    async with receiving() as found:
        yield found


@pytest.fixture
def stage(real_stage: Stage) -> Stage:
    return real_stage


async def subscribed(who: Person, url: str, *events: str) -> dict[str, Any]:
    return await who.made("/v1/webhook-endpoints", {"url": url, "events": list(events)})


async def test_both_sides_and_nobody_else_are_told_of_a_stay(
    landlord: Person, other_landlord: Person, tenant: Person, reviewer: Person, receiver: Receiver
) -> None:
    for path, who in {"/landlord": landlord, "/tenant": tenant, "/rival": other_landlord}.items():
        await subscribed(who, receiver.url(path), *RESERVATIONS, "property.published", "verification.decided")
    home = await listed(landlord, reviewer, street="12 Tide Lane")
    held = await reserved(tenant, home["id"])
    await landlord.made(f"/v1/reservations/{held['id']}/confirmation")
    await tenant.made(f"/v1/reservations/{held['id']}/cancellation")
    await receiver.until("/landlord", 6)
    await receiver.until("/tenant", 4)
    await receiver.until("/rival", 1)

    def told(path: str) -> list[dict[str, Any]]:
        return sorted((post.event for post in receiver.at(path)), key=lambda event: event["sequence"])

    stay = ["reservation.requested", "reservation.confirmed", "reservation.cancelled"]
    on_the_way = ["verification.decided", "verification.decided", "property.published"]
    assert [event["type"] for event in told("/landlord")] == [*on_the_way, *stay]
    assert [event["type"] for event in told("/tenant")] == ["property.published", *stay]
    assert [event["data"]["status"] for event in told("/tenant")] == ["listed", "pending", "confirmed", "cancelled"]
    (for_the_rival,) = told("/rival")
    assert for_the_rival["type"] == "property.published"
    assert "street" not in for_the_rival["data"]
    assert told("/landlord")[2]["data"]["street"] == "12 Tide Lane"
    assert "reviewer_id" not in told("/landlord")[0]["data"]


async def test_who_leaves_takes_their_endpoints_along(stage: Stage, tenant: Person, receiver: Receiver) -> None:
    await subscribed(tenant, receiver.url("/gone"), *RESERVATIONS)
    held = (await tenant.get("/v1/users/me/export")).json
    assert held["webhook_endpoints"][0]["url"] == receiver.url("/gone")
    assert "secret" not in str(held)
    assert (await tenant.delete("/v1/users/me")).status == 204
    async with stage.database.reading(system("test")) as db:
        assert (
            await db.scalars(select(WebhookEndpoint).where(WebhookEndpoint.owner_id == UUID(tenant.id)))
        ).all() == []

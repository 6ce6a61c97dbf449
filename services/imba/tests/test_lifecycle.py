"""A listing's way: draft, submitted, verified, published, paused, archived; and the filter by what it has."""

from __future__ import annotations

import pytest

from .world import Person, draft, listed, reserved, verified

pytestmark = pytest.mark.anyio


async def stage_of(landlord: Person, home: str) -> str:
    found: str = (await landlord.get(f"/v1/properties/{home}/lifecycle")).json["stage"]
    return found


async def test_from_a_draft_to_the_archive_and_back(landlord: Person, reviewer: Person, tenant: Person) -> None:
    home = (await draft(landlord))["id"]
    path = f"/v1/properties/{home}"
    assert await stage_of(landlord, home) == "draft"
    asked = await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": home})
    assert await stage_of(landlord, home) == "submitted"
    await reviewer.made(f"/v1/verification-requests/{asked['id']}/rejection", {"reason": "Blurred."})
    assert await stage_of(landlord, home) == "draft"
    await verified(landlord, reviewer, home)
    found = (await landlord.get(f"{path}/lifecycle")).json
    assert (found["stage"], found["identity"], found["property"]) == ("verified", "approved", "approved")
    assert (await landlord.put(f"{path}/publication")).status == 200
    assert await stage_of(landlord, home) == "published"
    held = await reserved(tenant, home)
    assert (await landlord.put(f"{path}/archive")).json["status"] == "archived"
    assert (await stage_of(landlord, home), (await tenant.get(path)).status) == ("archived", 404)
    assert (await tenant.get(f"/v1/reservations/{held['id']}")).json["status"] == "pending"
    refused = await landlord.put(f"{path}/publication")
    assert (refused.status, refused.code) == (409, "imba.archived")
    for _ in range(2):
        assert (await landlord.delete(f"{path}/archive")).status == 204
    assert await stage_of(landlord, home) == "paused"
    assert (await landlord.put(f"{path}/publication")).status == 200
    assert (await tenant.get(path)).status == 200


async def test_it_is_its_landlord_s_alone(
    landlord: Person, other_landlord: Person, reviewer: Person, tenant: Person
) -> None:
    path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
    for person in (tenant, other_landlord):
        assert (await person.get(f"{path}/lifecycle")).status == 403
        assert (await person.put(f"{path}/archive")).status == 403
    assert (await reviewer.get(f"{path}/lifecycle")).status == 200
    assert (await reviewer.put(f"{path}/archive")).status == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("view", ["Attic", "Barn"]),
        ("VIEW, Wood Stove", ["Barn"]),
        ("café", ["Attic"]),
        ("vie", []),
        ("wood%25stove", []),
        ("view,pool", []),
    ],
)
async def test_homes_that_have_all_of_these(
    landlord: Person, reviewer: Person, anonymous: Person, asked: str, found: list[str]
) -> None:
    await listed(landlord, reviewer, title="Attic", amenities=["view", "Cafe"])
    await listed(landlord, reviewer, title="Barn", amenities=["wood stove", "View"])
    await listed(landlord, reviewer, title="Cellar", amenities=[])
    items = (await anonymous.get(f"/v1/properties?amenities={asked}")).json["items"]
    assert sorted(each["title"] for each in items) == found


@pytest.mark.parametrize("asked", ["", ",", ",".join("abcdefghijk")])
async def test_what_are_no_amenities(anonymous: Person, asked: str) -> None:
    answer = await anonymous.get(f"/v1/properties?amenities={asked}")
    assert (answer.status, answer.pointers) == (422, ["amenities"])

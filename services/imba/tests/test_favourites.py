"""Favourites: a switch on each listing, and the list of them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import insert

from freehold import system
from freehold.fields import new_id
from freehold.testing import Stage

from ..favourites.models import Favourite
from ..favourites.routes import MOST_FAVOURITES
from ..properties.models import Property
from .conftest import person
from .world import Person, draft, listed

pytestmark = pytest.mark.anyio
PATH = "/v1/favourites"


def switch(property_id: str) -> str:
    return f"/v1/properties/{property_id}/favourite"


async def shown(person: Person, query: str = "") -> list[tuple[str, str | None]]:
    """The listing of each favourite, and its title where it is offered."""
    items = (await person.get(f"{PATH}?expand=property{query}")).json["items"]
    return [(item["property_id"], item["property"] and item["property"]["title"]) for item in items]


async def test_put_and_removed_as_often_as_one_likes(
    landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person, anonymous: Person
) -> None:
    first, second = await listed(landlord, reviewer), await listed(landlord, reviewer, title="Barn")
    answers = [await tenant.put(switch(first["id"])) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    made = await tenant.post(PATH, {"property_id": second["id"]})
    again = await tenant.post(PATH, {"property_id": second["id"]})
    assert (made.status, again.status, again.json["id"]) == (201, 201, made.json["id"])
    assert await shown(tenant) == [(second["id"], "Barn"), (first["id"], first["title"])]
    assert await shown(tenant, f"&property_id={first['id']}") == [(first["id"], first["title"])]

    assert (await other_tenant.get(PATH)).json["items"] == []
    assert (await other_tenant.get(f"{PATH}/{made.json['id']}")).status == 404
    assert (await other_tenant.delete(f"{PATH}/{made.json['id']}")).status == 404
    assert (await other_tenant.delete(switch(second["id"]))).status == 204
    for answer in (await anonymous.get(PATH), await anonymous.put(switch(first["id"]))):
        assert answer.status == 401

    assert [(await tenant.delete(switch(first["id"]))).status for _ in range(2)] == [204, 204]
    assert (await tenant.delete(f"{PATH}/{made.json['id']}")).status == 204
    assert await shown(tenant) == []


async def test_of_what_one_may_see(landlord: Person, tenant: Person) -> None:
    hidden, never = (await draft(landlord))["id"], "0190b0a0-0000-7000-8000-000000000000"
    for path in (hidden, never, "no-key"):
        assert (await tenant.put(switch(path))).status == 404
    answers = [await tenant.post(PATH, {"property_id": each}) for each in (hidden, never)]
    assert [answer.status for answer in answers] == [422, 422]
    assert answers[0].json["errors"] == answers[1].json["errors"]
    assert (await landlord.put(switch(hidden))).status == 200
    assert (await tenant.delete(switch(hidden))).status == 204


async def test_outlive_the_listing_s_time_on_the_market(landlord: Person, reviewer: Person, tenant: Person) -> None:
    kept, gone = await listed(landlord, reviewer), await listed(landlord, reviewer)
    for home in (kept, gone):
        await tenant.put(switch(home["id"]))
    await landlord.delete(f"/v1/properties/{kept['id']}/publication")
    await landlord.delete(f"/v1/properties/{gone['id']}")
    assert await shown(tenant) == [(gone["id"], None), (kept["id"], None)]
    assert await shown(tenant, "&offered=true") == []
    await landlord.put(f"/v1/properties/{kept['id']}/publication")
    assert await shown(tenant, "&offered=true") == [(kept["id"], kept["title"])]
    assert await shown(tenant, "&offered=false") == [(gone["id"], None)]
    assert (await tenant.delete(switch(gone["id"]))).status == 204


async def test_are_so_many_and_no_more(stage: Stage, landlord: Person, reviewer: Person, tenant: Person) -> None:
    home = await listed(landlord, reviewer)
    others = [
        {"id": new_id(), "landlord_id": UUID(landlord.id), "title": "Barn", "kind": "house", "city": "Kent",
         "country": "US", "price_amount": 1, "price_currency": "USD", "price_per": "night"}
        for _ in range(MOST_FAVOURITES)
    ]  # fmt: skip
    async with stage.database.writing(system("as many favourites as may be")) as unit:
        await unit.session.execute(insert(Property), others)
        kept = [{"user_id": UUID(tenant.id), "property_id": each["id"]} for each in others]
        await unit.session.execute(insert(Favourite), kept)
    answer = await tenant.put(switch(home["id"]))
    assert (answer.status, answer.code) == (409, "imba.too_many_favourites")
    assert (await tenant.delete(switch(str(others[0]["id"])))).status == 204
    assert (await tenant.put(switch(home["id"]))).status == 200


async def test_are_exported_and_go_with_the_person(landlord: Person, reviewer: Person, tenant: Person) -> None:
    home = await listed(landlord, reviewer)
    made = (await tenant.put(switch(home["id"]))).json
    assert (await tenant.get("/v1/users/me/export")).json["favourites"] == [made]
    assert (await tenant.delete("/v1/users/me")).status == 204
    late = await tenant.put(switch(home["id"]))  # a token may live a few seconds longer
    assert (late.status, late.code) == (403, "imba.account_closed")
    assert (await tenant.get(PATH)).json["items"] == []


async def test_of_many_at_once_one_is_made(real_stage: Stage) -> None:
    landlord = await person(real_stage, "landlord", "landlord")
    reviewer = await person(real_stage, None, "reviewer")
    tenant = await person(real_stage, "tenant", "tenant")
    home = await listed(landlord, reviewer)
    answers = await asyncio.gather(*(tenant.put(switch(home["id"])) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len((await tenant.get(PATH)).json["items"]) == 1

"""Nothing that Imba is ordinarily asked for holds up its event loop."""

from __future__ import annotations

import pytest

from freehold.testing import Stage, unblocked

from .world import COTTAGE, Person, day, draft, listed, reserved

pytestmark = pytest.mark.anyio
PASSWORD = "lantern quarry velvet 42"


async def look_around(stage: Stage, listing: str, anonymous: Person, landlord: Person, tenant: Person) -> None:
    """What people do here, but for pictures, which another process opens."""
    window = f"from={day(1)}&to={day(30)}"
    for query in (
        "",
        "?q=lighthouse&sort=-price_amount&count=true",
        "?city=Anacortes&bedrooms__gte=1",
        "?facets=city,kind",
    ):
        assert (await anonymous.get(f"/v1/properties{query}")).status == 200, query
    for path in ("", f"/availability?{window}", "/reviews"):
        assert (await anonymous.get(f"/v1/properties/{listing}{path}")).status == 200, path
    own = await draft(landlord)
    assert (await landlord.patch(f"/v1/properties/{own['id']}", {"title": "By the water"})).status == 200
    assert (await landlord.post("/v1/properties", COTTAGE | {"latitude": None})).status == 422
    for person, path in ((tenant, "/v1/reservations"), (tenant, "/v1/favourites"), (landlord, "/v1/properties")):
        assert (await person.get(path)).status == 200, path
    assert (await anonymous.get("/openapi.json")).status == 200


async def test_requests_and_a_log_in_leave_the_loop_free(
    stage: Stage, anonymous: Person, landlord: Person, tenant: Person, reviewer: Person
) -> None:
    listing = (await listed(landlord, reviewer))["id"]
    await reserved(tenant, listing)
    await look_around(stage, listing, anonymous, landlord, tenant)  # the first of each compiles its statements
    async with unblocked():
        await look_around(stage, listing, anonymous, landlord, tenant)
        account = {"email": "new@imba.example", "password": PASSWORD, "full_name": "New Person", "account": "tenant"}
        assert (await anonymous.post("/v1/users", account)).status == 201
        async with stage.client() as client:
            form = {"grant_type": "password", "username": account["email"], "password": PASSWORD}
            assert (await client.post("/v1/auth/token", data=form)).status_code == 200

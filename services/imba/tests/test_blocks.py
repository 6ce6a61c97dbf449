"""`/v1/properties/{id}/blocks`: the nights that an owner keeps."""

from __future__ import annotations

import pytest

from freehold.testing import Clock

from .world import Json, Person, day, listed, reserved, stay

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    found: str = (await listed(landlord, reviewer))["id"]
    return found


def nights(start: int, end: int, note: str = "Painting") -> Json:
    return {"start": day(start).isoformat(), "end": day(end).isoformat(), "note": note}


class TestBlock:
    async def test_takes_the_nights_and_gives_them_back(
        self, home: str, landlord: Person, tenant: Person, anonymous: Person
    ) -> None:
        path = f"/v1/properties/{home}/blocks"
        made = await landlord.post(path, nights(10, 13))
        assert (made.status, made.headers["location"]) == (201, f"/v1/blocks/{made.json['id']}")
        answer = await tenant.post("/v1/reservations", stay(home, 12, 14))
        assert (answer.status, answer.code) == (409, "imba.dates_taken")
        assert answer.json["conflicts"] == [{"start": day(10).isoformat(), "end": day(13).isoformat()}]
        assert "Painting" not in answer.text
        assert (await anonymous.get(f"/v1/properties/{home}/availability")).json["busy"] == [
            {"start": day(10).isoformat(), "end": day(13).isoformat()}
        ]
        free = f"/v1/properties?available_from={day(12)}&available_to={day(14)}"
        assert (await anonymous.get(free)).json["items"] == []
        await reserved(tenant, home, 13, 14)
        assert (await landlord.delete(made.headers["location"])).status == 204
        await reserved(tenant, home, 10, 13)

    async def test_never_over_a_stay(self, home: str, landlord: Person, tenant: Person, clock: Clock) -> None:
        await reserved(tenant, home, 10, 13)
        answer = await landlord.post(f"/v1/properties/{home}/blocks", nights(12, 20))
        assert (answer.status, answer.code) == (409, "imba.dates_taken")
        clock.advance(hours=24)  # the hold has lapsed, and no sweep has been
        assert (await landlord.post(f"/v1/properties/{home}/blocks", nights(12, 20))).status == 201

    async def test_is_its_landlord_s_alone(
        self, home: str, landlord: Person, other_landlord: Person, tenant: Person, admin: Person, anonymous: Person
    ) -> None:
        path = f"/v1/properties/{home}/blocks"
        made = await landlord.made(path, nights(10, 13))
        await reserved(tenant, home, 20, 21)
        assert [item["id"] for item in (await landlord.get(path)).json["items"]] == [made["id"]], "and no stays"
        for each in (other_landlord, tenant, admin):
            assert (await each.get(f"/v1/blocks/{made['id']}")).status == 404
            assert (await each.get(path)).json["items"] == []
        assert (await anonymous.get(path)).status == 401
        assert (await tenant.post(path, nights(30, 31))).status == 403
        assert (await other_landlord.post(path, nights(30, 31))).status == 403
        assert (await other_landlord.delete(f"/v1/blocks/{made['id']}")).status == 404

    async def test_a_stay_s_nights_are_not_deleted_as_a_block(
        self, home: str, landlord: Person, tenant: Person
    ) -> None:
        held = await reserved(tenant, home)
        assert (await landlord.delete(f"/v1/blocks/{held['id']}")).status == 404

    @pytest.mark.parametrize("wrong", [nights(3, 3), nights(4, 3), nights(1, 2, "x" * 501)])
    async def test_bad_input(self, home: str, landlord: Person, wrong: Json) -> None:
        assert (await landlord.post(f"/v1/properties/{home}/blocks", wrong)).status == 422

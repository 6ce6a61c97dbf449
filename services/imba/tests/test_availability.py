"""`GET /v1/properties/{id}/availability`."""

from __future__ import annotations

import pytest

from freehold.testing.clock import Clock

from .world import Json, Person, day, draft, listed, reserved

pytestmark = pytest.mark.anyio


def busy(*ranges: tuple[int, int]) -> list[Json]:
    return [{"start": day(start).isoformat(), "end": day(end).isoformat()} for start, end in ranges]


class TestAvailability:
    async def test_merged_half_open_and_without_names(
        self, landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person, anonymous: Person
    ) -> None:
        home = (await listed(landlord, reviewer))["id"]
        await reserved(tenant, home, 13, 15)
        await reserved(other_tenant, home, 10, 13)
        await reserved(tenant, home, 20, 21)
        cancelled = await reserved(tenant, home, 30, 31)
        await tenant.made(f"/v1/reservations/{cancelled['id']}/cancellation")
        answer = await anonymous.get(f"/v1/properties/{home}/availability")
        assert answer.status == 200
        assert answer.json["busy"] == busy((10, 15), (20, 21))
        assert not any(person.id in answer.text for person in (tenant, other_tenant))

    async def test_the_window_cuts(self, landlord: Person, reviewer: Person, tenant: Person, anonymous: Person) -> None:
        home = (await listed(landlord, reviewer))["id"]
        await reserved(tenant, home, 10, 15)
        path = f"/v1/properties/{home}/availability"
        assert (await anonymous.get(f"{path}?from={day(11)}&to={day(13)}")).json["busy"] == busy((11, 13))
        assert (await anonymous.get(f"{path}?from={day(15)}&to={day(20)}")).json["busy"] == []
        assert (await anonymous.get(f"{path}?from={day(5)}&to={day(10)}")).json["busy"] == []

    async def test_a_hold_that_has_lapsed_is_free(
        self, landlord: Person, reviewer: Person, tenant: Person, anonymous: Person, clock: Clock
    ) -> None:
        home = (await listed(landlord, reviewer))["id"]
        await reserved(tenant, home, 10, 15)
        clock.advance(hours=24)
        assert (await anonymous.get(f"/v1/properties/{home}/availability")).json["busy"] == []

    @pytest.mark.parametrize(
        "query",
        ["from=2026-02-02&to=2026-02-01", "from=2026-02-01&to=2026-02-01", "from=2026-01-01&to=2027-01-03",
         "from=yesterday", "to=2020-01-01", "until=2026-02-01"],
    )  # fmt: skip
    async def test_bad_windows(self, landlord: Person, query: str) -> None:
        home = (await draft(landlord))["id"]
        assert (await landlord.get(f"/v1/properties/{home}/availability?{query}")).status == 422

    async def test_the_end_of_the_calendar(self, landlord: Person) -> None:
        home = (await draft(landlord))["id"]
        answer = await landlord.get(f"/v1/properties/{home}/availability?from=9999-12-30")
        assert (answer.status, answer.json["end"]) == (200, "9999-12-31")

    async def test_a_hidden_property_is_not_there(self, landlord: Person, anonymous: Person) -> None:
        home = (await draft(landlord))["id"]
        assert (await anonymous.get(f"/v1/properties/{home}/availability")).status == 404

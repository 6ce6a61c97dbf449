"""`/v1/reservations`: holds, what becomes of them, and who sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from freehold.testing.clock import Clock

from .world import Person, day, draft, listed, reserved, stay

pytestmark = pytest.mark.anyio
PATH = "/v1/reservations"

BAD_INPUT: list[tuple[dict[str, Any], str]] = [
    ({"check_in": "2026-01-04"}, "/check_in"),
    ({"check_in": "2020-02-30"}, "/check_in"),
    ({"check_in": "soon"}, "/check_in"),
    ({"check_in": 1767571200}, "/check_in"),
    ({"check_in": "2026-02-01", "check_out": "2026-02-01"}, "/check_out"),
    ({"check_in": "2026-02-02", "check_out": "2026-02-01"}, "/check_out"),
    ({"check_in": "2026-02-01", "check_out": "2027-02-02"}, "/check_out"),
    ({"guests": 0}, "/guests"),
    ({"guests": "2"}, "/guests"),
    ({"guests": 101}, "/guests"),
    ({"kind": "visit"}, "/check_in"),
    ({"check_in": None}, "/check_in"),
    ({"guests": None}, "/guests"),
    ({"starts_at": "2026-02-01T10:00:00Z"}, "/starts_at"),
    ({"kind": "party"}, "/kind"),
    ({"property_id": "cottage"}, "/property_id"),
    ({"total_amount": 1}, "/total_amount"),
    ({"status": "confirmed"}, "/status"),
    ({"tenant_id": "0190b0a0-0000-7000-8000-000000000000"}, "/tenant_id"),
]


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    """A listed property, 145.00 USD per night."""
    found: str = (await listed(landlord, reviewer))["id"]
    return found


class TestReserve:
    async def test_holds_the_nights_for_a_day(self, home: str, tenant: Person, clock: Clock) -> None:
        answer = await tenant.post(PATH, stay(home, 10, 13))
        assert answer.status == 201
        body = answer.json
        assert (body["status"], body["kind"], body["tenant_id"]) == ("pending", "stay", tenant.id)
        assert (body["total_amount"], body["currency"]) == (3 * 14500, "USD")
        assert body["expires_at"] == (clock.now() + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
        assert (await tenant.get(answer.headers["location"])).json == body

    async def test_overlapping_nights_are_taken(self, home: str, tenant: Person, other_tenant: Person) -> None:
        await reserved(tenant, home, 10, 13)
        for arrival, departure in ((10, 13), (9, 11), (12, 14), (11, 12), (9, 14)):
            answer = await other_tenant.post(PATH, stay(home, arrival, departure))
            assert (answer.status, answer.code) == (409, "imba.dates_taken")
            assert tenant.id not in answer.text

    async def test_touching_nights_are_not(self, home: str, tenant: Person, other_tenant: Person) -> None:
        await reserved(tenant, home, 10, 13)
        await reserved(other_tenant, home, 13, 15)
        await reserved(other_tenant, home, 8, 10)

    async def test_another_property_has_its_own_nights(
        self, home: str, landlord: Person, reviewer: Person, tenant: Person
    ) -> None:
        await reserved(tenant, home)
        await reserved(tenant, (await listed(landlord, reviewer))["id"])

    async def test_needs_a_tenant(self, home: str, anonymous: Person, landlord: Person, reviewer: Person) -> None:
        assert (await anonymous.post(PATH, stay(home))).status == 401
        assert (await landlord.post(PATH, stay(home))).status == 403
        assert (await reviewer.post(PATH, stay(home))).status == 403

    async def test_never_one_s_own_property(self, renting_landlord: Person, reviewer: Person) -> None:
        own = await listed(renting_landlord, reviewer)
        answer = await renting_landlord.post(PATH, stay(own["id"]))
        assert (answer.status, answer.code) == (403, "imba.own_property")

    async def test_a_hidden_property_is_no_property(self, landlord: Person, tenant: Person) -> None:
        hidden = await tenant.post(PATH, stay((await draft(landlord))["id"]))
        never = await tenant.post(PATH, stay("0190b0a0-0000-7000-8000-000000000000"))
        assert (hidden.status, hidden.json["errors"]) == (422, never.json["errors"])
        assert hidden.pointers == ["/property_id"]

    @pytest.mark.parametrize("price_per", ["sale", "month"])
    async def test_only_what_is_priced_per_night(
        self, landlord: Person, reviewer: Person, tenant: Person, price_per: str
    ) -> None:
        other = await listed(landlord, reviewer, price_per=price_per)
        answer = await tenant.post(PATH, stay(other["id"]))
        assert (answer.status, answer.code) == (409, "imba.not_for_stays")

    async def test_bad_input_is_told_where(self, home: str, tenant: Person) -> None:
        for changes, pointer in BAD_INPUT:
            answer = await tenant.post(PATH, stay(home) | changes)
            assert (answer.status, pointer in answer.pointers) == (422, True), (changes, answer.text)

    async def test_from_today_on(self, home: str, tenant: Person) -> None:
        assert (await tenant.post(PATH, stay(home, 0, 1))).status == 201

    async def test_the_price_is_the_one_booked(self, home: str, landlord: Person, tenant: Person) -> None:
        held = await reserved(tenant, home)
        await landlord.patch(f"/v1/properties/{home}", {"price_amount": 99900, "price_currency": "EUR"})
        found = (await tenant.get(f"{PATH}/{held['id']}")).json
        assert (found["total_amount"], found["currency"]) == (3 * 14500, "USD")
        later = await tenant.made(PATH, stay(home, 20, 21))
        assert (later["total_amount"], later["currency"]) == (99900, "EUR")

    async def test_a_retry_with_its_key_is_one_reservation(self, home: str, tenant: Person) -> None:
        first = await tenant.post(PATH, stay(home), Idempotency_Key="walk-1")
        again = await tenant.post(PATH, stay(home), Idempotency_Key="walk-1")
        assert (again.status, again.json) == (201, first.json)
        assert len((await tenant.get(PATH)).json["items"]) == 1

    async def test_a_verified_email_where_the_settings_say_so(
        self, home: str, require_verified_email: None, tenant: Person
    ) -> None:
        answer = await tenant.post(PATH, stay(home))
        assert (answer.status, answer.code) == (403, "imba.email_not_verified")


class TestRead:
    async def test_both_sides_and_admins(
        self, home: str, tenant: Person, landlord: Person, admin: Person, other_tenant: Person,
        other_landlord: Person, reviewer: Person, anonymous: Person,
    ) -> None:  # fmt: skip
        held = await reserved(tenant, home)
        for each in (tenant, landlord, admin):
            assert (await each.get(f"{PATH}/{held['id']}")).status == 200
            assert [item["id"] for item in (await each.get(PATH)).json["items"]] == [held["id"]]
        for each in (other_tenant, other_landlord, reviewer):
            assert (await each.get(f"{PATH}/{held['id']}")).status == 404
            assert (await each.get(PATH)).json["items"] == []
        assert (await anonymous.get(PATH)).status == 401

    async def test_what_can_be_asked(self, home: str, landlord: Person, tenant: Person) -> None:
        early, late = await reserved(tenant, home, 5, 7), await reserved(tenant, home, 20, 22)
        await landlord.made(f"{PATH}/{late['id']}/confirmation")

        async def found(query: str) -> list[str]:
            return [item["id"] for item in (await tenant.get(f"{PATH}?{query}")).json["items"]]

        assert await found("status=pending") == [early["id"]]
        assert await found("status=confirmed") == [late["id"]]
        assert await found(f"check_in__gte={day(6)}") == [late["id"]]
        assert await found(f"check_out__lte={day(7)}") == [early["id"]]
        assert await found(f"property_id={home}&sort=check_in") == [early["id"], late["id"]]
        assert await found("") == [late["id"], early["id"]]
        assert (await tenant.get(f"{PATH}?status=gone")).status == 422


class TestAnswer:
    async def test_the_landlord_confirms_once(self, home: str, landlord: Person, tenant: Person) -> None:
        path = f"{PATH}/{(await reserved(tenant, home))['id']}"
        answer = await landlord.post(f"{path}/confirmation")
        assert (answer.status, answer.json["status"], answer.json["expires_at"]) == (200, "confirmed", None)
        again = await landlord.post(f"{path}/confirmation")
        assert (again.status, again.code) == (409, "imba.reservation_state")

    async def test_or_rejects_and_the_dates_are_free(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person
    ) -> None:
        path = f"{PATH}/{(await reserved(tenant, home))['id']}"
        assert (await landlord.post(f"{path}/rejection", {})).status == 422
        answer = await landlord.post(f"{path}/rejection", {"reason": "The roof leaks."})
        assert (answer.status, answer.json["status"]) == (200, "rejected")
        assert (await tenant.get(path)).json["reason"] == "The roof leaks."
        assert (await landlord.post(f"{path}/confirmation")).status == 409
        await reserved(other_tenant, home)

    async def test_nobody_else_answers(
        self, home: str, tenant: Person, other_tenant: Person, other_landlord: Person, admin: Person, anonymous: Person
    ) -> None:
        path = f"{PATH}/{(await reserved(tenant, home))['id']}/confirmation"
        assert (await anonymous.post(path)).status == 401
        assert (await tenant.post(path)).status == 403
        assert (await admin.post(path)).status == 403
        for each in (other_tenant, other_landlord):
            assert (await each.post(path)).status == 404


class TestCancel:
    @pytest.mark.parametrize("side", ["tenant", "landlord"])
    @pytest.mark.parametrize("confirmed", [False, True])
    async def test_either_side_may(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person, side: str, confirmed: bool
    ) -> None:
        path = f"{PATH}/{(await reserved(tenant, home))['id']}"
        if confirmed:
            await landlord.made(f"{path}/confirmation")
        answer = await {"tenant": tenant, "landlord": landlord}[side].post(f"{path}/cancellation")
        assert (answer.status, answer.json["status"]) == (200, "cancelled")
        assert (await tenant.post(f"{path}/cancellation")).status == 409
        assert (await landlord.post(f"{path}/confirmation")).status == 409
        await reserved(other_tenant, home)

    async def test_nobody_else_may(
        self, home: str, tenant: Person, other_tenant: Person, admin: Person, anonymous: Person
    ) -> None:
        path = f"{PATH}/{(await reserved(tenant, home))['id']}/cancellation"
        assert (await anonymous.post(path)).status == 401
        assert (await other_tenant.post(path)).status == 404
        assert (await admin.post(path)).status == 403

    async def test_a_stay_that_is_over_is_not(self, home: str, tenant: Person, landlord: Person, clock: Clock) -> None:
        path = f"{PATH}/{(await reserved(tenant, home, 1, 2))['id']}"
        await landlord.made(f"{path}/confirmation")
        clock.advance(days=2, hours=2)  # check-out is at eleven
        assert (await tenant.post(f"{path}/cancellation")).code == "imba.reservation_state"


class TestLapse:
    async def test_to_the_instant_and_without_a_sweep(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person, clock: Clock
    ) -> None:
        held = await reserved(tenant, home)
        path = f"{PATH}/{held['id']}"
        clock.advance(hours=24, microseconds=-1)
        assert (await tenant.get(path)).json["status"] == "pending"
        assert (await other_tenant.post(PATH, stay(home, 9, 12))).status == 409
        clock.advance(microseconds=1)
        assert (await tenant.get(path)).json["status"] == "expired"
        assert [item["id"] for item in (await tenant.get(f"{PATH}?status=expired")).json["items"]] == [held["id"]]
        assert (await tenant.get(f"{PATH}?status=pending")).json["items"] == []
        late = await landlord.post(f"{path}/confirmation")
        assert (late.status, late.code) == (409, "imba.reservation_state")
        assert (await tenant.post(f"{path}/cancellation")).status == 409
        assert (await other_tenant.post(PATH, stay(home, 9, 12))).status == 201

    async def test_the_job_writes_it_down(
        self, home: str, tenant: Person, clock: Clock, sweep: Any, trail: Any
    ) -> None:
        held = await reserved(tenant, home)
        await sweep()
        assert (await tenant.get(f"{PATH}/{held['id']}")).json["status"] == "pending"
        clock.advance(hours=24)
        await sweep()
        await sweep()
        assert (await tenant.get(f"{PATH}/{held['id']}")).json["status"] == "expired"
        lapsed = [row for row in await trail("reservations", held["id"]) if row.action == "reservations.lapsed"]
        assert len(lapsed) == 1

    async def test_a_confirmed_one_does_not(
        self, home: str, tenant: Person, landlord: Person, clock: Clock, sweep: Any
    ) -> None:
        held = await reserved(tenant, home)
        await landlord.made(f"{PATH}/{held['id']}/confirmation")
        clock.advance(hours=25)
        await sweep()
        assert (await tenant.get(f"{PATH}/{held['id']}")).json["status"] == "confirmed"

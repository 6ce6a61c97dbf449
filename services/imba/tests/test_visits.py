"""Visits: hours, slots, the changes of the clock, and moving one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from freehold.testing import Clock

from .world import Json, Person, listed

pytestmark = pytest.mark.anyio
PATH = "/v1/reservations"
MONDAYS: Json = {"weekly": [{"day": "mon", "opens": "10:00", "closes": "12:00"}]}


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    """A listed property that is for sale."""
    found: str = (await listed(landlord, reviewer, price_per="sale"))["id"]
    return found


async def opened(landlord: Person, home: str, **hours: Any) -> None:
    answer = await landlord.put(f"/v1/properties/{home}/visiting-hours", hours)
    assert answer.status == 200, answer.text


async def slots(person: Person, home: str, since: str, until: str) -> list[Json]:
    answer = await person.get(f"/v1/properties/{home}/visit-slots?from={since}&to={until}")
    assert answer.status == 200, answer.text
    found: list[Json] = answer.json["slots"]
    return found


def visit(home: str, starts_at: str) -> Json:
    return {"kind": "visit", "property_id": home, "starts_at": starts_at}


class TestVisit:
    @pytest.mark.parametrize("moment", ["9999-12-31T23:59:00Z", "3000-01-01T00:00:00Z"])
    async def test_V05_not_at_the_end_of_all_days(self, home: str, tenant: Person, moment: str) -> None:
        answer = await tenant.post(PATH, visit(home, moment))
        assert (answer.status, answer.pointers) == (422, ["/starts_at"])
        for path in ("visit-slots?from=9999-12-31", "visit-slots?to=9999-12-31"):
            assert (await tenant.get(f"/v1/properties/{home}/{path}")).status == 422

    async def test_is_a_request_for_half_an_hour(self, home: str, tenant: Person, landlord: Person) -> None:
        made = await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        assert (made["kind"], made["status"], made["ends_at"]) == ("visit", "pending", "2026-01-08T10:30:00Z")
        assert (made["check_in"], made["guests"], made["total_amount"]) == (None, None, None)
        assert made["expires_at"] == "2026-01-06T09:00:00Z"
        assert (await landlord.made(f"{PATH}/{made['id']}/confirmation"))["status"] == "confirmed"

    async def test_lapses_at_its_start_where_that_is_sooner(
        self, home: str, tenant: Person, other_tenant: Person, clock: Clock
    ) -> None:
        made = await tenant.made(PATH, visit(home, "2026-01-05T11:00:00Z"))
        assert made["expires_at"] == made["starts_at"]
        clock.set(datetime(2026, 1, 5, 11, tzinfo=UTC))
        assert (await tenant.get(f"{PATH}/{made['id']}")).json["status"] == "expired"
        await other_tenant.made(PATH, visit(home, "2026-01-05T11:10:00Z"))

    async def test_one_at_a_time_with_the_buffer(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person
    ) -> None:
        await opened(landlord, home, buffer_minutes=15)
        await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        for near in ("10:00", "10:44", "09:16"):
            answer = await other_tenant.post(PATH, visit(home, f"2026-01-08T{near}:00Z"))
            assert (answer.status, answer.code) == (409, "imba.dates_taken")
            assert tenant.id not in answer.text
        await other_tenant.made(PATH, visit(home, "2026-01-08T10:45:00Z"))
        await other_tenant.made(PATH, visit(home, "2026-01-08T09:15:00Z"))

    async def test_nobody_is_at_two_places(self, home: str, landlord: Person, reviewer: Person, tenant: Person) -> None:
        other = (await listed(landlord, reviewer))["id"]
        await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        answer = await tenant.post(PATH, visit(other, "2026-01-08T10:29:00Z"))
        assert (answer.status, answer.code) == (409, "imba.visiting_elsewhere")
        await tenant.made(PATH, visit(other, "2026-01-08T10:30:00Z"))

    async def test_within_the_hours(self, home: str, landlord: Person, tenant: Person) -> None:
        closed = {"date": "2026-01-19", "openings": []}
        await opened(landlord, home, **MONDAYS, exceptions=[closed], notice_hours=48, horizon_days=20)
        for outside in ("2026-01-12T09:59:00Z", "2026-01-12T11:31:00Z", "2026-01-13T10:00:00Z", "2026-01-19T10:00:00Z",
                        "2026-01-05T10:00:00Z", "2026-01-26T10:00:00Z"):  # fmt: skip
            answer = await tenant.post(PATH, visit(home, outside))
            assert (answer.status, answer.code, answer.pointers) == (422, "imba.outside_hours", ["/starts_at"]), outside
        await tenant.made(PATH, visit(home, "2026-01-12T11:30:00Z"))

    async def test_a_house_that_is_not_listed(self, home: str, landlord: Person, tenant: Person) -> None:
        await landlord.delete(f"/v1/properties/{home}/publication")
        assert (await tenant.post(PATH, visit(home, "2026-01-08T10:00:00Z"))).pointers == ["/property_id"]

    async def test_past_times(self, home: str, tenant: Person) -> None:
        assert (await tenant.post(PATH, visit(home, "2026-01-05T09:00:00Z"))).pointers == ["/starts_at"]


class TestSlots:
    async def test_are_the_hours_less_what_is_taken(
        self, home: str, landlord: Person, tenant: Person, anonymous: Person
    ) -> None:
        await opened(landlord, home, **MONDAYS)
        await tenant.made(PATH, visit(home, "2026-01-12T10:40:00Z"))
        free = await anonymous.get(f"/v1/properties/{home}/visit-slots?from=2026-01-12&to=2026-01-13")
        assert [slot["starts_at"] for slot in free.json["slots"]] == ["2026-01-12T10:00:00Z", "2026-01-12T11:30:00Z"]
        assert tenant.id not in free.text

    async def test_the_hour_that_is_left_out_has_none(
        self, landlord: Person, reviewer: Person, anonymous: Person, tenant: Person
    ) -> None:
        home = (await listed(landlord, reviewer, time_zone="Europe/Berlin"))["id"]
        await opened(landlord, home, weekly=[{"day": "sun", "opens": "01:00", "closes": "04:00"}])
        found = await slots(anonymous, home, "2026-03-29", "2026-03-30")
        assert [(slot["starts_at"], slot["local_start"]) for slot in found] == [
            ("2026-03-29T00:00:00Z", "2026-03-29T01:00:00+01:00"),
            ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00+01:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
            ("2026-03-29T01:30:00Z", "2026-03-29T03:30:00+02:00"),
        ]
        await opened(landlord, home, weekly=[{"day": "sun", "opens": "02:15", "closes": "02:45"}])
        assert await slots(anonymous, home, "2026-03-29", "2026-03-30") == [], "an opening that does not exist that day"
        assert len(await slots(anonymous, home, "2026-03-22", "2026-03-23")) == 1
        assert (await tenant.post(PATH, visit(home, "2026-03-29T01:00:00Z"))).code == "imba.outside_hours"

    async def test_the_hour_that_comes_twice_has_them_twice(
        self, landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person
    ) -> None:
        home = (await listed(landlord, reviewer, time_zone="Europe/Berlin"))["id"]
        await opened(landlord, home, weekly=[{"day": "sun", "opens": "02:00", "closes": "03:00"}])
        found = await slots(tenant, home, "2026-10-25", "2026-10-26")
        assert [slot["local_start"] for slot in found] == [
            "2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00",
        ]  # fmt: skip
        first, second = found[0]["local_start"], found[2]["local_start"]
        await tenant.made(PATH, visit(home, first))
        assert (await other_tenant.post(PATH, visit(home, first))).status == 409
        await other_tenant.made(PATH, visit(home, second))

    @pytest.mark.parametrize("query", ["from=2026-01-02&to=2026-01-02", "from=2026-01-01&to=2026-02-02", "day=1"])
    async def test_bad_windows(self, home: str, anonymous: Person, query: str) -> None:
        assert (await anonymous.get(f"/v1/properties/{home}/visit-slots?{query}")).status == 422


class TestReschedule:
    async def test_keeps_the_visit_and_frees_its_time(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person
    ) -> None:
        made = await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        await landlord.made(f"{PATH}/{made['id']}/confirmation")
        moved = await tenant.made(f"{PATH}/{made['id']}/rescheduling", {"starts_at": "2026-01-08T10:15:00Z"})
        assert (moved["id"], moved["status"], moved["ends_at"]) == (made["id"], "pending", "2026-01-08T10:45:00Z")
        await other_tenant.made(PATH, visit(home, "2026-01-08T09:45:00Z"))

    async def test_not_to_a_time_that_is_taken(self, home: str, tenant: Person, other_tenant: Person) -> None:
        await other_tenant.made(PATH, visit(home, "2026-01-08T12:00:00Z"))
        made = await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        answer = await tenant.post(f"{PATH}/{made['id']}/rescheduling", {"starts_at": "2026-01-08T12:15:00Z"})
        assert (answer.status, answer.code) == (409, "imba.dates_taken")
        assert (await tenant.get(f"{PATH}/{made['id']}")).json == made

    async def test_only_its_tenant_and_only_while_it_is_ahead(
        self, home: str, landlord: Person, tenant: Person, other_tenant: Person, clock: Clock
    ) -> None:
        made = await tenant.made(PATH, visit(home, "2026-01-06T08:00:00Z"))
        path, later = f"{PATH}/{made['id']}/rescheduling", {"starts_at": "2026-01-09T10:00:00Z"}
        assert (await landlord.post(path, later)).status == 403
        assert (await other_tenant.post(path, later)).status == 404
        await landlord.made(f"{PATH}/{made['id']}/confirmation")
        clock.advance(timedelta(days=1))
        assert (await tenant.post(path, later)).code == "imba.reservation_state"


class TestContact:
    async def test_is_for_both_sides_once_it_is_confirmed(
        self, landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person, anonymous: Person
    ) -> None:
        home = (await listed(landlord, reviewer, street="12 Tide Lane"))["id"]
        assert "street" not in (await anonymous.get(f"/v1/properties/{home}")).json
        assert (await landlord.get(f"/v1/properties/{home}")).json["street"] == "12 Tide Lane"
        made = await tenant.made(PATH, visit(home, "2026-01-08T10:00:00Z"))
        path = f"{PATH}/{made['id']}"
        assert (await landlord.get(f"{path}/contact")).code == "imba.reservation_state"
        await landlord.made(f"{path}/confirmation")
        told = (await tenant.get(f"{path}/contact")).json
        assert (told["landlord"]["email"], told["tenant"]["email"]) == (landlord.email, tenant.email)
        assert told["street"] == "12 Tide Lane"
        assert (await landlord.get(f"{path}/contact")).json == told
        assert (await other_tenant.get(f"{path}/contact")).status == 404

"""Two at once: what must happen once happens once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from freehold.testing.clock import Clock
from freehold.testing.stage import Stage

from .conftest import person
from .world import Person, draft, listed, reserved, stay, verified

pytestmark = pytest.mark.anyio
ROUNDS = 5


class TickingClock(Clock):
    """Goes on by a millisecond whenever it is asked."""

    def now(self) -> datetime:
        return self.advance(milliseconds=1)


@pytest.fixture
async def people(real_stage: Stage) -> tuple[Person, Person, Person]:
    """A landlord, a reviewer, a tenant."""
    return (
        await person(real_stage, "landlord", "landlord"),
        await person(real_stage, None, "reviewer"),
        await person(real_stage, "tenant", "tenant"),
    )


class TestReserving:
    async def test_one_of_many_gets_the_night(self, real_stage: Stage, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, _ = people
        home = (await listed(landlord, reviewer))["id"]
        tenants = [await person(real_stage, "tenant", "tenant") for _ in range(12)]
        for round_ in range(ROUNDS):
            arrival = 10 + 3 * round_
            wanted = stay(home, arrival, arrival + 2)
            answers = await asyncio.gather(*(each.post("/v1/reservations", wanted) for each in tenants))
            assert sorted(answer.status for answer in answers) == [201] + [409] * 11
            assert {answer.code for answer in answers if answer.status == 409} == {"imba.dates_taken"}

    async def test_touching_nights_do_not_meet(self, real_stage: Stage, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        nights = [stay(home, 10 + night, 11 + night) for night in range(12)]
        answers = await asyncio.gather(*(tenant.post("/v1/reservations", each) for each in nights))
        assert [answer.status for answer in answers] == [201] * 12


class TestDeciding:
    async def test_a_hold_is_confirmed_once(self, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        for round_ in range(ROUNDS):
            held = await reserved(tenant, home, 10 + round_, 11 + round_)
            path = f"/v1/reservations/{held['id']}/confirmation"
            answers = await asyncio.gather(*(landlord.post(path) for _ in range(8)))
            assert sorted(answer.status for answer in answers) == [200] + [409] * 7

    async def test_it_is_confirmed_or_cancelled(self, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        for round_ in range(ROUNDS):
            path = f"/v1/reservations/{(await reserved(tenant, home, 10 + round_, 11 + round_))['id']}"
            confirmed, rejected, cancelled = await asyncio.gather(
                landlord.post(f"{path}/confirmation"),
                landlord.post(f"{path}/rejection", {"reason": "Changed my mind."}),
                tenant.post(f"{path}/cancellation"),
            )
            # A confirmed stay can still be cancelled; nothing else follows anything.
            steps = (confirmed.status, rejected.status, cancelled.status)
            assert steps in {(200, 409, 200), (409, 200, 409), (409, 409, 200)}
            assert (await tenant.get(path)).json["status"] in ("rejected", "cancelled")

    async def test_a_request_is_decided_once(self, real_stage: Stage, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, _ = people
        second = await person(real_stage, None, "reviewer")
        for _ in range(ROUNDS):
            home = (await draft(landlord))["id"]
            asked = await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": home})
            path = f"/v1/verification-requests/{asked['id']}"
            answers = await asyncio.gather(
                reviewer.post(f"{path}/approval"), second.post(f"{path}/rejection", {"reason": "No."})
            )
            assert sorted(answer.status for answer in answers) == [200, 409]

    async def test_one_request_is_open(self, people: tuple[Person, Person, Person]) -> None:
        landlord, _, _ = people
        asked = await asyncio.gather(
            *(landlord.post("/v1/verification-requests", {"subject": "identity"}) for _ in range(8))
        )
        assert sorted(answer.status for answer in asked) == [201] + [409] * 7


class TestOneNight:
    async def test_is_blocked_or_reserved(self, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        for round_ in range(ROUNDS):
            wanted = stay(home, 10 + 3 * round_, 12 + 3 * round_)
            kept = {"start": wanted["check_in"], "end": wanted["check_out"]}
            blocked, reserved_ = await asyncio.gather(
                landlord.post(f"/v1/properties/{home}/blocks", kept), tenant.post("/v1/reservations", wanted)
            )
            assert sorted((blocked.status, reserved_.status)) == [201, 409]
            assert {each.code for each in (blocked, reserved_) if each.status == 409} == {"imba.dates_taken"}

    async def test_is_cancelled_or_confirmed(self, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        for round_ in range(ROUNDS):
            path = f"/v1/reservations/{(await reserved(tenant, home, 10 + round_, 11 + round_))['id']}"
            confirmed, cancelled = await asyncio.gather(
                landlord.post(f"{path}/confirmation"), tenant.post(f"{path}/cancellation")
            )
            assert (confirmed.status, cancelled.status) in {(200, 200), (409, 200)}
            assert (await tenant.get(path)).json["status"] == "cancelled"
            await reserved(tenant, home, 10 + round_, 11 + round_)


class TestOneSlot:
    async def test_is_moved_to_or_booked(self, real_stage: Stage, people: tuple[Person, Person, Person]) -> None:
        landlord, reviewer, tenant = people
        other = await person(real_stage, "tenant", "tenant")
        home = (await listed(landlord, reviewer))["id"]
        visit = {"kind": "visit", "property_id": home}
        moving = await tenant.made("/v1/reservations", visit | {"starts_at": "2026-01-06T08:00:00Z"})
        for hour in range(10, 10 + ROUNDS):
            slot = {"starts_at": f"2026-01-08T{hour}:00:00Z"}
            moved, booked = await asyncio.gather(
                tenant.post(f"/v1/reservations/{moving['id']}/rescheduling", slot),
                other.post("/v1/reservations", visit | slot),
            )
            assert (moved.status, booked.status) in {(200, 409), (409, 201)}
            assert {each.code for each in (moved, booked) if each.status == 409} == {"imba.dates_taken"}


class TestLapsing:
    @pytest.mark.parametrize("early", [0, 2, 4, 8, 16])
    async def test_while_it_is_confirmed(
        self, real_stage: Stage, people: tuple[Person, Person, Person], clock: Clock, early: int
    ) -> None:
        landlord, reviewer, tenant = people
        other = await person(real_stage, "tenant", "tenant")
        home = (await listed(landlord, reviewer))["id"]
        path = f"/v1/reservations/{(await reserved(tenant, home))['id']}"
        # The hold ends somewhere between the first and the last look at the clock of this race.
        with TickingClock(clock.now() + timedelta(hours=24) - timedelta(milliseconds=early)):
            confirmed, taken = await asyncio.gather(
                landlord.post(f"{path}/confirmation"), other.post("/v1/reservations", stay(home))
            )
            after = (await tenant.get(path)).json["status"]
        # Who asked for the dates before the end and who confirmed after it are both too late; never do both succeed.
        assert (confirmed.status, taken.status, after) in {
            (200, 409, "confirmed"),
            (409, 201, "expired"),
            (409, 409, "expired"),
        }


class TestLeaving:
    async def test_while_one_reserves_holds_no_dates(
        self, real_stage: Stage, people: tuple[Person, Person, Person]
    ) -> None:
        landlord, reviewer, tenant = people
        home = (await listed(landlord, reviewer))["id"]
        for round_ in range(ROUNDS):
            leaving, wanted = await person(real_stage, "tenant", "tenant"), stay(home, 10 + round_, 11 + round_)
            held, left = await asyncio.gather(leaving.post("/v1/reservations", wanted), leaving.delete("/v1/users/me"))
            assert (left.status, held.status in (201, 401, 403)) == (204, True)
            await tenant.made("/v1/reservations", wanted)


class TestPublishing:
    @pytest.mark.parametrize("subject", ["identity", "property"])
    async def test_while_the_approval_is_revoked(self, people: tuple[Person, Person, Person], subject: str) -> None:
        landlord, reviewer, _ = people
        for _ in range(ROUNDS):
            home = (await draft(landlord))["id"]
            of_property, of_identity = await verified(landlord, reviewer, home)
            request = of_identity if subject == "identity" else of_property
            published, revoked = await asyncio.gather(
                landlord.put(f"/v1/properties/{home}/publication"),
                reviewer.post(f"/v1/verification-requests/{request}/revocation", {"reason": "Expired."}),
            )
            assert revoked.status == 200
            assert published.status in (200, 409)
            status = (await landlord.get(f"/v1/properties/{home}")).json["status"]
            assert status == ("unlisted" if published.status == 200 else "draft")

"""`/v1/reviews`: what the two sides of a stay say, published at once, and the rating of a listing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from freehold import system
from freehold.fields import now
from freehold.testing import Clock, Stage

from ..reservations.models import Reservation
from ..reviews.jobs import publish_reviews
from ..reviews.models import Review
from .conftest import person
from .world import Json, Person, listed, reserved

pytestmark = pytest.mark.anyio
PATH = "/v1/reviews"
WRONG: list[Json] = [
    {"rating": 0},
    {"rating": 6},
    {"rating": 4.5},
    {"rating": "5"},
    {"text": "x" * 4001},
    {"answer": ""},
]


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    found: str = (await listed(landlord, reviewer))["id"]
    return found


@pytest.fixture
def publish(stage: Stage) -> Callable[[], Awaitable[None]]:
    """Run the job."""

    async def run() -> None:
        async with stage.database.writing(system("publish")) as unit:
            await publish_reviews(unit.session)

    return run


async def stayed(tenant: Person, landlord: Person, home: str, clock: Clock) -> str:
    """The id of a stay that has just ended."""
    held = await reserved(tenant, home, 1, 2)
    await landlord.made(f"/v1/reservations/{held['id']}/confirmation")
    clock.advance(days=2, hours=2)
    found: str = held["id"]
    return found


def opinion(stay: str, rating: int = 4, text: str = "Quiet, and the stove draws.") -> Json:
    return {"reservation_id": stay, "rating": rating, "text": text}


async def seen(person: Person, query: str = "") -> list[tuple[str, int]]:
    return [(item["subject"], item["rating"]) for item in (await person.get(f"{PATH}?{query}")).json["items"]]


async def rating(person: Person, home: str) -> tuple[float, int]:
    found = (await person.get(f"/v1/properties/{home}")).json
    return found["rating_average"], found["rating_count"]


class TestWrite:
    async def test_after_the_stay_once_and_within_14_days(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person, admin: Person, clock: Clock
    ) -> None:
        held = await reserved(tenant, home, 1, 2)
        early = await tenant.post(PATH, opinion(held["id"]))
        assert (early.status, early.code) == (409, "imba.not_reviewable"), "not accepted"
        await landlord.made(f"/v1/reservations/{held['id']}/confirmation")
        assert (await tenant.post(PATH, opinion(held["id"]))).status == 409, "not over"
        clock.advance(days=2, hours=2)
        for wrong in WRONG:
            assert (await tenant.post(PATH, opinion(held["id"]) | wrong)).status == 422, wrong
        made = await tenant.post(PATH, opinion(held["id"]))
        assert (made.status, made.json["subject"], made.json["property_id"]) == (201, "property", home)
        assert (made.json["author_name"], made.json["published_at"]) == ("Person", None)
        again = await tenant.post(PATH, opinion(held["id"], 1))
        assert (again.status, again.code) == (409, "imba.reviewed")
        assert (await other_tenant.post(PATH, opinion(held["id"]))).status == 422
        assert (await admin.post(PATH, opinion(held["id"]))).status == 403
        clock.advance(days=14)
        late = await landlord.post(PATH, opinion(held["id"]))
        assert (late.status, late.code) == (409, "imba.not_reviewable")

    async def test_neither_reads_the_other_s_before_both_are_published(
        self, home: str, tenant: Person, landlord: Person, anonymous: Person, clock: Clock, publish: Any, mails: Any
    ) -> None:
        stay = await stayed(tenant, landlord, home, clock)
        mine = await tenant.made(PATH, opinion(stay, 5))
        await publish()
        assert await seen(tenant) == [("property", 5)]
        for other in (landlord, anonymous):
            assert (await other.get(f"{PATH}/{mine['id']}")).status == 404
            assert await seen(other) == []
        assert await rating(anonymous, home) == (0.0, 0)
        told = [mail for mail in await mails(landlord.email) if "reviewed" in mail["subject"]]
        assert [("stove" in mail["text"]) for mail in told] == [False]
        changed = await tenant.patch(f"{PATH}/{mine['id']}", {"rating": 3})
        assert (changed.status, changed.json["rating"], changed.json["text"]) == (200, 3, mine["text"])
        assert (await tenant.patch(f"{PATH}/{mine['id']}", {"rating": None})).status == 422
        assert (await tenant.patch(f"{PATH}/{mine['id']}", {"reservation_id": stay})).status == 422

        theirs = await landlord.made(PATH, opinion(stay, 2, "Left the stove on."))
        assert (theirs["guest_id"], theirs["property_id"]) == (tenant.id, None)
        assert not [mail for mail in await mails(tenant.email) if "has reviewed" in mail["subject"]]
        await publish()
        await publish()
        assert sorted(await seen(tenant)) == sorted(await seen(landlord)) == [("guest", 2), ("property", 3)]
        assert await seen(anonymous) == [("property", 3)]
        assert await rating(anonymous, home) == (3.0, 1)
        shown = (await anonymous.get(f"{PATH}/{mine['id']}")).json
        assert shown["published_at"] is not None
        assert not {"reservation_id", "author_id"} & shown.keys()
        assert tenant.id not in str(shown)
        assert (await tenant.patch(f"{PATH}/{mine['id']}", {"rating": 1})).status == 403
        assert (await tenant.delete(f"{PATH}/{mine['id']}")).status == 405
        assert [mail["subject"] for mail in (await mails(landlord.email))[-1:]] == [
            "Imba: A property of yours was reviewed"
        ]

    async def test_one_alone_is_published_when_the_time_is_over(
        self, home: str, tenant: Person, landlord: Person, anonymous: Person, clock: Clock, publish: Any
    ) -> None:
        stay = await stayed(tenant, landlord, home, clock)
        closes_at = datetime.fromisoformat((await tenant.made(PATH, opinion(stay, 4)))["closes_at"])
        clock.set(closes_at - timedelta(microseconds=1))
        await publish()
        assert await seen(anonymous) == []
        clock.set(closes_at)
        await publish()
        assert await seen(anonymous) == [("property", 4)]


class TestRead:
    async def test_of_a_guest_by_whom_they_ask(
        self, home: str, tenant: Person, landlord: Person, other_landlord: Person, reviewer: Person, other_tenant: Person,
        clock: Clock, publish: Any,
    ) -> None:  # fmt: skip
        stay = await stayed(tenant, landlord, home, clock)
        await landlord.made(PATH, opinion(stay, 2))
        clock.advance(days=14)
        await publish()
        elsewhere = (await listed(other_landlord, reviewer))["id"]
        for nobody in (other_landlord, other_tenant, reviewer):
            assert await seen(nobody, f"guest_id={tenant.id}") == []
        await reserved(tenant, elsewhere)
        assert await seen(other_landlord, f"guest_id={tenant.id}") == [("guest", 2)]
        assert await seen(other_tenant, f"guest_id={tenant.id}") == []

    async def test_below_their_listing_while_it_is_on_the_market(
        self, home: str, tenant: Person, landlord: Person, reviewer: Person, anonymous: Person, other_tenant: Person,
        clock: Clock, publish: Any,
    ) -> None:  # fmt: skip
        for guest, stars in ((tenant, 5), (other_tenant, 4)):
            stay = await stayed(guest, landlord, home, clock)
            await guest.made(PATH, opinion(stay, stars))
            await landlord.made(PATH, opinion(stay, 1))
        await publish()
        path = f"/v1/properties/{home}/reviews"
        assert [item["rating"] for item in (await anonymous.get(f"{path}?sort=rating")).json["items"]] == [4, 5]
        assert (await anonymous.get(f"{path}?rating__gte=5&count=true")).json["total"] == 1
        assert (await tenant.post(path, {"rating": 5, "text": "Again."})).status == 405
        assert await rating(anonymous, home) == (4.5, 2)
        plain = (await listed(landlord, reviewer, city="Lopez"))["id"]
        sorted_ = await anonymous.get("/v1/properties?sort=-rating_average")
        assert [item["id"] for item in sorted_.json["items"]] == [home, plain]
        filtered = await anonymous.get("/v1/properties?rating_average__gte=4.5")
        assert [item["id"] for item in filtered.json["items"]] == [home]
        await landlord.delete(f"/v1/properties/{home}/publication")
        assert (await anonymous.get(path)).status == 404
        assert await seen(anonymous) == []
        assert sorted(await seen(landlord)) == [("guest", 1), ("guest", 1), ("property", 4), ("property", 5)]


class TestAnswer:
    async def test_by_the_landlord_once_it_is_published(
        self, home: str, tenant: Person, landlord: Person, other_landlord: Person, anonymous: Person, clock: Clock,
        publish: Any,
    ) -> None:  # fmt: skip
        stay = await stayed(tenant, landlord, home, clock)
        path = f"{PATH}/{(await tenant.made(PATH, opinion(stay)))['id']}/answer"
        about = f"{PATH}/{(await landlord.made(PATH, opinion(stay)))['id']}/answer"
        assert (await landlord.put(path, {"text": "Thank you."})).status == 404
        await publish()
        answered = await landlord.put(path, {"text": "Thank you."})
        assert (answered.status, answered.json["answer"]) == (200, "Thank you.")
        assert (await anonymous.get(path.removesuffix("/answer"))).json["answer"] == "Thank you."
        assert (await landlord.put(path, {"text": " "})).status == 422
        for other in (tenant, other_landlord):
            assert (await other.put(path, {"text": "No."})).status == 403
        assert (await tenant.put(about, {"text": "Not so."})).status == 403
        assert [(await landlord.delete(path)).status for _ in range(2)] == [204, 204]
        assert (await anonymous.get(path.removesuffix("/answer"))).json["answer"] is None


class TestLeaving:
    async def test_of_a_guest_keeps_the_ratings_and_no_name(
        self, home: str, tenant: Person, landlord: Person, anonymous: Person, clock: Clock, publish: Any
    ) -> None:
        stay = await stayed(tenant, landlord, home, clock)
        published = await tenant.made(PATH, opinion(stay, 5))
        await landlord.made(PATH, opinion(stay, 2, "Left the stove on."))
        await publish()
        second = await stayed(tenant, landlord, home, clock)
        await tenant.made(PATH, opinion(second, 1))
        exported = (await tenant.get("/v1/users/me/export")).json["reviews"]
        assert [(each["subject"], each["rating"]) for each in exported] == [
            ("property", 5),
            ("guest", 2),
            ("property", 1),
        ]
        assert landlord.id not in str(exported)
        assert (await tenant.delete("/v1/users/me")).status == 204
        clock.advance(days=15)
        await publish()
        shown = (await anonymous.get(f"{PATH}/{published['id']}")).json
        assert (shown["author_name"], shown["rating"]) == ("", 5)
        assert await seen(landlord) == [("property", 5)]
        assert await rating(anonymous, home) == (5.0, 1)

    async def test_of_a_landlord_takes_the_answers_along(
        self, home: str, stage: Stage, tenant: Person, landlord: Person, clock: Clock, publish: Any
    ) -> None:
        stay = await stayed(tenant, landlord, home, clock)
        mine = await tenant.made(PATH, opinion(stay, 5))
        await landlord.made(PATH, opinion(stay, 4))
        await publish()
        await landlord.put(f"{PATH}/{mine['id']}/answer", {"text": "I am Zoe."})
        assert (await landlord.delete("/v1/users/me")).status == 204
        async with stage.database.reading(system("what is left")) as session:
            left = {row.subject: row for row in await session.scalars(select(Review))}
        assert (left["property"].answer, left["guest"].author_name, left["guest"].rating) == (None, "", 4)


class TestAtOnce:
    async def test_the_average_is_exact_and_each_is_counted_once(self, real_stage: Stage) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        reviewer = await person(real_stage, None, "reviewer")
        tenant = await person(real_stage, "tenant", "tenant")
        home = (await listed(landlord, reviewer))["id"]
        ended, when = now(), {"check_in": now().date(), "time_zone": "UTC", "price_lines": [], "cancellation": []}
        for stars in (5, 4, 4, 1, 2, 3):
            stay = await real_stage.make(
                Reservation, kind="stay", status="confirmed", property_id=UUID(home), tenant_id=UUID(tenant.id),
                starts_at=ended.replace(year=2025), ends_at=ended, total_amount=1, currency="USD", **when,
            )  # fmt: skip
            for side in (tenant, landlord):
                await side.made(PATH, opinion(str(stay.id), stars))

        async def publishing() -> None:
            async def work(unit: Any) -> None:
                await publish_reviews(unit.session)

            await real_stage.database.run(system("publish"), work)

        await asyncio.gather(*(publishing() for _ in range(4)))
        assert await rating(tenant, home) == (3.17, 6)
        assert len(await seen(tenant, "subject=property")) == 6

"""`/v1/saved-searches`: kept as the list takes them, and mails about what is new, each listing once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from freehold import system
from freehold.testing import Clock, Stage

from ..searches.jobs import search_alerts
from ..searches.routes import MOST_SEARCHES
from .conftest import person
from .world import Json, Person, draft, listed

pytestmark = pytest.mark.anyio
PATH = "/v1/saved-searches"


@pytest.fixture
def look(stage: Stage, clock: Clock) -> Callable[[], Awaitable[None]]:
    """Let a minute pass, and run the job."""

    async def run() -> None:
        clock.advance(minutes=1)

        async def work(unit: Any) -> None:
            await search_alerts(unit.session)

        await stage.database.run(system("alerts"), work)

    return run


@pytest.fixture
def alerts(mails: Any) -> Callable[[Person], Awaitable[list[str]]]:
    """The texts of the alerts mailed to somebody."""

    async def read(person: Person) -> list[str]:
        return [mail["text"] for mail in await mails(person.email) if "new listing" in mail["subject"]]

    return read


async def kept(person: Person, query: str = "city=Anacortes&price_amount__lte=20000", **more: Any) -> Json:
    return await person.made(PATH, {"name": "By the sea", "query": query} | more)


class TestKeeping:
    async def test_own_and_nobody_else_s(
        self, tenant: Person, other_tenant: Person, admin: Person, anonymous: Person
    ) -> None:
        search = await kept(tenant)
        path = f"{PATH}/{search['id']}"
        assert (search["alerts"], "user_id" in search) == (True, False)
        for other in (other_tenant, admin):
            assert (await other.get(path)).status == 404
            assert (await other.patch(path, {"alerts": False})).status == 404
            assert (await other.delete(path)).status == 404
            assert (await other.get(PATH)).json["items"] == []
        assert (await anonymous.get(PATH)).status == 401
        assert (await tenant.patch(path, {"name": "Elsewhere", "query": "city=Kent"})).json["query"] == "city=Kent"
        assert (await tenant.delete(path)).status == 204
        assert (await tenant.get(PATH)).json["items"] == []

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("colour=red", "colour: "),
            ("bedrooms__gte=many", "bedrooms__gte: "),
            ("near=48.5&within_km=-1", "near: "),
            ("city=Kent&city=Lopez", "city: "),
            ("street=12 Tide Lane", "street: "),
            ("bedrooms__gte=99999999999999999999999", "bedrooms__gte: "),
            ("city=%00", "city: "),
            ("available_from=2030-01-02&available_to=2030-01-01", "available_to: "),
            ("city=Kent&limit=5&cursor=x", "leave out cursor, limit"),
            ("", "at least 1"),
        ],
    )
    async def test_only_what_the_list_takes(self, tenant: Person, query: str, told: str) -> None:
        search = await kept(tenant)
        for answer in (
            await tenant.post(PATH, {"name": "Wrong", "query": query}),
            await tenant.patch(f"{PATH}/{search['id']}", {"query": query}),
        ):
            assert (answer.status, answer.pointers[0]) == (422, "/query")
            assert told in answer.json["errors"][0]["message"]

    async def test_so_many_and_no_more(self, tenant: Person) -> None:
        for _ in range(MOST_SEARCHES):
            await kept(tenant)
        answer = await tenant.post(PATH, {"name": "One more", "query": "city=Kent"})
        assert (answer.status, answer.code) == (409, "imba.too_many_searches")

    async def test_are_exported_and_go_with_the_person(self, tenant: Person, look: Any) -> None:
        search = await kept(tenant)
        assert (await tenant.get("/v1/users/me/export")).json["saved_searches"] == [search]
        assert (await tenant.delete("/v1/users/me")).status == 204
        assert (await tenant.get(PATH)).json["items"] == []
        assert (await tenant.post(PATH, {"name": "Late", "query": "city=Kent"})).code == "imba.account_closed"
        await look()


class TestAlerts:
    async def test_each_new_listing_once(
        self,
        tenant: Person,
        other_tenant: Person,
        landlord: Person,
        reviewer: Person,
        look: Any,
        alerts: Any,
        clock: Clock,
    ) -> None:
        await listed(landlord, reviewer, title="Before")
        clock.advance(minutes=1)
        await kept(tenant)
        await kept(other_tenant, alerts=False)
        await look()
        assert await alerts(tenant) == [], "what was listed before is no news"
        home = await listed(landlord, reviewer, title="Boat house")
        await listed(landlord, reviewer, title="Too dear", price_amount=90000)
        await draft(landlord, title="A draft")
        for _ in range(3):
            await look()
        (text,) = await alerts(tenant)
        assert [title in text for title in ("Boat house", "Too dear", "A draft", "Before")] == [
            True,
            False,
            False,
            False,
        ]
        publication = f"/v1/properties/{home['id']}/publication"
        await landlord.delete(publication)
        clock.advance(hours=1)
        await landlord.put(publication)
        await look()
        assert len(await alerts(tenant)) == 1, "it came back"
        assert await alerts(other_tenant) == []
        for title in ("Barn", "Mill"):
            await listed(landlord, reviewer, title=title)
        await look()
        both = (await alerts(tenant))[1]
        assert ("Barn" in both, "Mill" in both, "Boat house" in both) == (True, True, False)
        (notice, *_) = (await tenant.get("/v1/notices?kind=alert")).json["items"]
        assert notice["subject"] == '2 new listings for "By the sea"'

    async def test_of_what_its_owner_may_see_and_not_their_own(
        self,
        landlord: Person,
        reviewer: Person,
        other_landlord: Person,
        look: Any,
        alerts: Any,
        clock: Clock,
    ) -> None:
        for owner in (landlord, reviewer):
            await kept(owner)
        clock.advance(seconds=1)
        await listed(landlord, reviewer, title="Own")
        gone = await listed(other_landlord, reviewer, title="Gone at once")
        await other_landlord.delete(f"/v1/properties/{gone['id']}")
        await look()
        assert await alerts(landlord) == []
        assert ["Gone" in text for text in await alerts(reviewer)] == [False]

    async def test_of_another_query_begin_anew(
        self, tenant: Person, landlord: Person, reviewer: Person, look: Any, alerts: Any, clock: Clock
    ) -> None:
        search = await kept(tenant, "city=Kent")
        await listed(landlord, reviewer, title="Before")
        clock.advance(seconds=30)
        await tenant.patch(f"{PATH}/{search['id']}", {"query": "q=lighthouse keeper&bbox=-123,48,-122,49"})
        await look()
        await listed(landlord, reviewer)
        await look()
        assert ["Lighthouse keeper" in text for text in await alerts(tenant)] == [True]

    async def test_stop_by_the_address_in_the_mail(
        self, tenant: Person, anonymous: Person, landlord: Person, reviewer: Person, look: Any, alerts: Any,
        clock: Clock,
    ) -> None:  # fmt: skip
        search = await kept(tenant)
        clock.advance(seconds=1)
        await listed(landlord, reviewer)
        await look()
        found = re.search(r"https?://[^/]+(/alerts/stop/\S+)", (await alerts(tenant))[0])
        assert found is not None
        page = await anonymous.get(found[1])
        assert (page.status, "<button" in page.text) == (200, True)
        assert (await tenant.get(f"{PATH}/{search['id']}")).json["alerts"] is True, "a look stops nothing"
        for wrong in (
            found[1][:-1] + ("A" if found[1][-1] != "A" else "B"),
            f"/alerts/stop/{search['id']}.",
            "/alerts/stop/x",
        ):
            assert (await anonymous.post(wrong)).status == 404
        assert [(await anonymous.post(found[1])).status for _ in range(2)] == [200, 200]
        assert (await tenant.get(f"{PATH}/{search['id']}")).json["alerts"] is False
        await listed(landlord, reviewer)
        await look()
        assert len(await alerts(tenant)) == 1
        await tenant.patch(f"{PATH}/{search['id']}", {"alerts": True})
        await look()
        assert len(await alerts(tenant)) == 1, "what came meanwhile is no news"
        assert (await tenant.delete(f"{PATH}/{search['id']}")).status == 204
        assert (await anonymous.post(found[1])).status == 404

    async def test_of_many_jobs_at_once_one_tells(self, real_stage: Stage, clock: Clock) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        reviewer = await person(real_stage, None, "reviewer")
        tenants = [await person(real_stage, "tenant", "tenant") for _ in range(3)]
        for tenant in tenants:
            await kept(tenant)
        clock.advance(minutes=1)
        await listed(landlord, reviewer)

        async def work(unit: Any) -> None:
            await search_alerts(unit.session)

        clock.advance(minutes=1)
        await asyncio.gather(*(real_stage.database.run(system("alerts"), work) for _ in range(4)))
        for tenant in tenants:
            assert (await tenant.get("/v1/notices?kind=alert&count=true")).json["total"] == 1

"""Agents: a mandate gives somebody a landlord's home to manage, until either side ends it."""

from __future__ import annotations

import asyncio

import pytest

from freehold.fields import new_id
from freehold.testing import Stage

from .conftest import person
from .world import Json, Person, draft, listed, reserved, stay, verified

pytestmark = pytest.mark.anyio
PATH = "/v1/mandates"


@pytest.fixture
async def agent(stage: Stage) -> Person:
    return await person(stage, "agent", "agent")


@pytest.fixture
async def other_agent(stage: Stage) -> Person:
    return await person(stage, "agent", "agent")


async def mandated(landlord: Person, agent: Person, home: str) -> Json:
    offered = await landlord.made(PATH, {"property_id": home, "agent": agent.id})
    return await agent.made(f"{PATH}/{offered['id']}/acceptance")


class TestActing:
    async def test_an_agent_manages_what_the_landlord_has_given_and_nothing_else(
        self, landlord: Person, agent: Person, reviewer: Person, tenant: Person
    ) -> None:
        home, other = (await draft(landlord))["id"], (await draft(landlord, title="Barn"))["id"]
        path = f"/v1/properties/{home}"
        assert (await agent.get(path)).status == 404
        await mandated(landlord, agent, home)
        assert (await agent.get(path)).json["agent_id"] == agent.id
        assert (await agent.get(f"/v1/properties/{other}")).status == 404
        assert (await agent.patch(path, {"title": "The keeper's cottage"})).status == 200
        assert (await agent.put(f"{path}/booking-terms", {"min_nights": 2})).status == 200
        assert (await agent.put(f"{path}/publication")).code == "imba.not_verified"
        await verified(landlord, reviewer, home)
        assert (await agent.get(f"{path}/lifecycle")).json["stage"] == "verified"
        assert (await agent.get("/v1/verification-requests")).json["items"] == []
        assert (await agent.put(f"{path}/publication")).json["status"] == "listed"
        await agent.made(f"{path}/blocks", {"start": "2026-02-01", "end": "2026-02-03"})
        held = await reserved(tenant, home)
        assert (await agent.made(f"/v1/reservations/{held['id']}/confirmation"))["status"] == "confirmed"
        for manager in (landlord, agent):
            told = (await manager.get("/v1/notices?kind=reservation")).json["items"]
            assert "A request for a stay" in [each["subject"] for each in told]
        assert (await agent.delete(path)).status == 403
        assert (await agent.get("/v1/dashboard")).status == 403
        mine = await agent.get(f"/v1/properties?agent_id={agent.id}")
        assert [each["id"] for each in mine.json["items"]] == [home]

    async def test_nothing_from_the_end_on(
        self, landlord: Person, agent: Person, reviewer: Person, tenant: Person
    ) -> None:
        home = (await listed(landlord, reviewer))["id"]
        mandate = await mandated(landlord, agent, home)
        held = await reserved(tenant, home)
        assert (await landlord.made(f"{PATH}/{mandate['id']}/ending"))["status"] == "ended"
        assert (await agent.get(f"/v1/reservations/{held['id']}")).status == 404
        assert (await agent.patch(f"/v1/properties/{home}", {"title": "Mine"})).status == 403
        again = await agent.post(f"{PATH}/{mandate['id']}/ending")
        assert (again.status, again.code) == (409, "imba.mandate_state")
        assert (await landlord.get(f"/v1/properties/{home}")).json["agent_id"] is None

    async def test_not_as_a_tenant_of_the_home(self, stage: Stage, landlord: Person, reviewer: Person) -> None:
        renting = await person(stage, "agent", "agent", "tenant")
        home = (await listed(landlord, reviewer))["id"]
        await mandated(landlord, renting, home)
        answer = await renting.post("/v1/reservations", stay(home))
        assert (answer.status, answer.code) == (403, "imba.own_property")


class TestOffering:
    async def test_only_of_one_s_own_to_an_agent_and_one_at_a_time(
        self,
        landlord: Person,
        other_landlord: Person,
        agent: Person,
        other_agent: Person,
        tenant: Person,
        reviewer: Person,
    ) -> None:
        home = (await listed(landlord, reviewer))["id"]
        wanted = {"property_id": home, "agent": agent.id}
        assert (await tenant.post(PATH, wanted)).status == 403
        assert (await other_landlord.post(PATH, wanted)).status == 403
        for nobody in (tenant.id, str(new_id())):
            answer = await landlord.post(PATH, wanted | {"agent": nobody})
            assert (answer.status, answer.pointers) == (422, ["/agent"])
        offered = await landlord.made(PATH, wanted)
        second = await landlord.post(PATH, wanted | {"agent": other_agent.id})
        assert (second.status, second.code) == (409, "imba.mandated")
        assert (await other_agent.post(f"{PATH}/{offered['id']}/acceptance")).status == 404
        assert (await landlord.post(f"{PATH}/{offered['id']}/acceptance")).status == 403
        assert (await agent.made(f"{PATH}/{offered['id']}/ending"))["status"] == "ended"
        assert (await landlord.get(f"/v1/properties/{home}")).json["agent_id"] is None
        await landlord.made(PATH, wanted | {"agent": other_agent.id})

    async def test_it_is_accepted_or_withdrawn(self, real_stage: Stage) -> None:
        landlord, agent = await person(real_stage, "landlord", "landlord"), await person(real_stage, "agent", "agent")
        home = (await draft(landlord))["id"]
        for _ in range(5):
            offered = await landlord.made(PATH, {"property_id": home, "agent": agent.id})
            accepted, ended = await asyncio.gather(
                agent.post(f"{PATH}/{offered['id']}/acceptance"), landlord.post(f"{PATH}/{offered['id']}/ending")
            )
            assert (accepted.status, ended.status) in {(200, 200), (409, 200)}
            assert (await landlord.get(f"/v1/properties/{home}")).json["agent_id"] is None


@pytest.mark.parametrize("leaving", ["landlord", "agent"])
async def test_who_leaves_ends_their_mandates(landlord: Person, agent: Person, reviewer: Person, leaving: str) -> None:
    home = (await listed(landlord, reviewer))["id"]
    mandate = await mandated(landlord, agent, home)
    gone, left = (landlord, agent) if leaving == "landlord" else (agent, landlord)
    assert [each["id"] for each in (await gone.get("/v1/users/me/export")).json["mandates"]] == [mandate["id"]]
    assert (await gone.delete("/v1/users/me")).status == 204
    assert (await left.get(f"{PATH}/{mandate['id']}")).json["status"] == "ended"
    if leaving == "agent":
        assert (await landlord.get(f"/v1/properties/{home}")).json["agent_id"] is None

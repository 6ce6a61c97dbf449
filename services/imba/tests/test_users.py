"""Accounts: what Imba adds to those of every service."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.testing.stage import Stage

from .world import Person, draft, listed, reserved

pytestmark = pytest.mark.anyio

ADA = {"email": "ada@imba.example", "password": "seven green umbrellas", "full_name": "Ada Okafor"}


class TestRegister:
    @pytest.mark.parametrize("account", ["tenant", "landlord", "agent"])
    async def test_as_a_tenant_a_landlord_or_an_agent(self, anonymous: Person, stage: Stage, account: str) -> None:
        answer = await anonymous.post("/v1/users", ADA | {"account": account})
        assert answer.status == 201, answer.text
        assert (answer.json["account"], answer.json["roles"]) == (account, [account])
        assert "password" not in answer.text
        form = {"grant_type": "password", "username": ADA["email"], "password": ADA["password"]}
        token = (await anonymous.client.post("/v1/auth/token", data=form)).json()["access_token"]
        me = await anonymous.get("/v1/users/me", Authorization=f"Bearer {token}")
        assert (me.status, me.json["id"]) == (200, answer.json["id"])

    @pytest.mark.parametrize(
        "changes",
        [{}, {"account": "staff"}, {"account": "admin"}, {"account": None}, {"account": "tenant", "roles": ["admin"]}],
    )
    async def test_not_as_anything_else(self, anonymous: Person, changes: dict[str, Any]) -> None:
        assert (await anonymous.post("/v1/users", ADA | changes)).status == 422

    async def test_an_address_once(self, anonymous: Person) -> None:
        assert (await anonymous.post("/v1/users", ADA | {"account": "tenant"})).status == 201
        again = await anonymous.post("/v1/users", ADA | {"account": "landlord", "email": "ADA@imba.example"})
        assert (again.status, again.code) == (409, "identity.email_taken")


class TestRead:
    async def test_own_and_by_staff(
        self, tenant: Person, landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        path = f"/v1/users/{tenant.id}"
        assert (await tenant.get(path)).json["account"] == "tenant"
        assert (await reviewer.get(path)).status == 200
        assert (await landlord.get(path)).status == 404
        assert (await anonymous.get(path)).status == 401


class TestLeave:
    async def test_an_export_holds_what_the_features_hold(
        self, landlord: Person, reviewer: Person, tenant: Person
    ) -> None:
        home = await listed(landlord, reviewer)
        held = await reserved(tenant, home["id"])
        exported = (await landlord.get("/v1/users/me/export")).json
        assert [row["id"] for row in exported["properties"]] == [home["id"]]
        assert len(exported["verification_requests"]) == 2
        assert reviewer.id not in str(exported)
        assert [row["id"] for row in (await tenant.get("/v1/users/me/export")).json["reservations"]] == [held["id"]]

    async def test_a_landlord_s_listings_go(
        self, landlord: Person, reviewer: Person, anonymous: Person, tenant: Person
    ) -> None:
        home, other = await listed(landlord, reviewer), await draft(landlord)
        held = await reserved(tenant, home["id"])
        assert (await landlord.delete("/v1/users/me")).status == 204
        assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 404
        assert (await reviewer.get(f"/v1/properties/{other['id']}")).status == 404
        called_off = (await tenant.get(f"/v1/reservations/{held['id']}")).json
        assert (called_off["status"], called_off["refund_amount"]) == ("cancelled", called_off["total_amount"])
        told = (await tenant.get("/v1/notices?kind=reservation")).json["items"][0]
        assert (told["subject"], "The landlord has left." in told["text"]) == ("Your stay was cancelled", True)

    async def test_a_tenant_s_holds_are_given_up(
        self, landlord: Person, reviewer: Person, tenant: Person, other_tenant: Person
    ) -> None:
        home = (await listed(landlord, reviewer))["id"]
        held = await reserved(tenant, home)
        assert (await tenant.delete("/v1/users/me")).status == 204
        assert (await landlord.get(f"/v1/reservations/{held['id']}")).json["status"] == "cancelled"
        await reserved(other_tenant, home)

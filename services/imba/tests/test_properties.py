"""Drafts, changes, deletion: `/v1/properties` and `/v1/properties/{id}`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from freehold import system
from freehold.testing import Clock, Stage

from ..properties.models import Property
from .world import COTTAGE, Person, draft, listed, reserved

pytestmark = pytest.mark.anyio

BAD_FIELDS: list[tuple[str, Any]] = [
    ("title", ""),
    ("title", "   "),
    ("title", "x" * 121),
    ("title", 5),
    ("description", "x" * 5001),
    ("kind", "castle"),
    ("city", ""),
    ("country", "USA"),
    ("country", "us"),
    ("country", "ZZ"),
    ("latitude", 90.5),
    ("longitude", -181),
    ("bedrooms", -1),
    ("bedrooms", 1.5),
    ("bedrooms", "2"),
    ("bathrooms", 1.3),
    ("bathrooms", -0.25),
    ("floor_area_sqm", 0),
    ("year_built", 99),
    ("price_amount", 0),
    ("price_amount", 145.5),
    ("price_amount", 10**13),
    ("price_currency", "usd"),
    ("price_currency", "XAU"),
    ("price_per", "week"),
    ("amenities", ["view", "view"]),
    ("amenities", [""]),
    ("amenities", "view"),
    ("status", "listed"),
    ("landlord_id", "0190b0a0-0000-7000-8000-000000000000"),
    ("deleted_at", None),
    ("id", "0190b0a0-0000-7000-8000-000000000000"),
]


class TestCreate:
    async def test_a_landlord_starts_a_draft(self, landlord: Person) -> None:
        answer = await landlord.post("/v1/properties", COTTAGE)
        assert answer.status == 201
        assert answer.json["status"] == "draft"
        assert answer.json["landlord_id"] == landlord.id
        assert answer.json["bathrooms"] == 1.5
        assert answer.json["amenities"] == ["wood stove", "view"]
        assert answer.headers["location"] == f"/v1/properties/{answer.json['id']}"
        found = await landlord.get(answer.headers["location"])
        assert found.json == answer.json

    async def test_nobody_and_a_tenant_may_not(self, anonymous: Person, tenant: Person) -> None:
        assert (await anonymous.post("/v1/properties", COTTAGE)).status == 401
        assert (await tenant.post("/v1/properties", COTTAGE)).status == 403

    async def test_bad_input_is_told_where(self, landlord: Person) -> None:
        for field, value in BAD_FIELDS:
            answer = await landlord.post("/v1/properties", COTTAGE | {field: value})
            assert answer.status == 422, (field, value)
            assert any(pointer.startswith(f"/{field}") for pointer in answer.pointers), answer.text

    async def test_half_a_place_is_refused(self, landlord: Person) -> None:
        answer = await landlord.post("/v1/properties", COTTAGE | {"latitude": None})
        assert answer.status == 422

    async def test_bathrooms_come_in_quarters(self, landlord: Person) -> None:
        assert (await draft(landlord, bathrooms=2.75))["bathrooms"] == 2.75


class TestRead:
    async def test_a_draft_is_seen_by_its_landlord_and_staff_alone(
        self, landlord: Person, other_landlord: Person, tenant: Person, anonymous: Person, reviewer: Person
    ) -> None:
        path = f"/v1/properties/{(await draft(landlord))['id']}"
        assert (await landlord.get(path)).status == 200
        assert (await reviewer.get(path)).status == 200
        for other in (other_landlord, tenant, anonymous):
            assert (await other.get(path)).status == 404

    async def test_a_listed_one_is_seen_by_everyone(
        self, landlord: Person, reviewer: Person, anonymous: Person, tenant: Person
    ) -> None:
        path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
        assert (await anonymous.get(path)).status == 200
        assert (await tenant.get(path)).status == 200


class TestUpdate:
    async def test_its_landlord_changes_what_is_sent(self, landlord: Person) -> None:
        made = await draft(landlord)
        answer = await landlord.patch(f"/v1/properties/{made['id']}", {"title": "A cottage", "year_built": None})
        assert answer.status == 200
        assert answer.json == made | {
            "title": "A cottage",
            "year_built": None,
            "updated_at": answer.json["updated_at"],
        }

    async def test_an_admin_may_and_others_may_not(
        self, landlord: Person, reviewer: Person, admin: Person, other_landlord: Person, tenant: Person
    ) -> None:
        path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
        assert (await admin.patch(path, {"title": "Corrected"})).status == 200
        for other in (other_landlord, reviewer, tenant):
            assert (await other.patch(path, {"title": "Mine now"})).status == 403

    async def test_another_s_draft_is_not_there(self, landlord: Person, other_landlord: Person) -> None:
        path = f"/v1/properties/{(await draft(landlord))['id']}"
        answer = await other_landlord.patch(path, {"title": "Mine now"})
        never = await other_landlord.patch("/v1/properties/0190b0a0-0000-7000-8000-000000000000", {"title": "Mine"})
        assert (answer.status, never.status) == (404, 404)
        own = {"instance", "request_id"}
        assert {name: answer.json[name] for name in answer.json.keys() - own} == {
            name: never.json[name] for name in never.json.keys() - own
        }

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": "listed"},
            {"landlord_id": "0190b0a0-0000-7000-8000-000000000000"},
            {"title": None},
            {"latitude": None},
            {"country": "ZZ"},
        ],
    )
    async def test_what_is_not_theirs_to_set_is_refused(self, landlord: Person, changes: dict[str, Any]) -> None:
        made = await draft(landlord)
        assert (await landlord.patch(f"/v1/properties/{made['id']}", changes)).status == 422
        assert (await landlord.get(f"/v1/properties/{made['id']}")).json == made

    async def test_a_stale_tag_is_refused(self, landlord: Person) -> None:
        path = f"/v1/properties/{(await draft(landlord))['id']}"
        tag = (await landlord.get(path)).headers["etag"]
        assert (await landlord.patch(path, {"title": "First"}, If_Match=tag)).status == 200
        assert (await landlord.patch(path, {"title": "Second"}, If_Match=tag)).status == 412
        assert (await landlord.get(path)).json["title"] == "First"


class TestDelete:
    async def test_it_is_gone_for_everyone(
        self, landlord: Person, reviewer: Person, admin: Person, anonymous: Person
    ) -> None:
        path = f"/v1/properties/{(await listed(landlord, reviewer))['id']}"
        assert (await anonymous.delete(path)).status == 401
        assert (await reviewer.delete(path)).status == 403
        assert (await landlord.delete(path)).status == 204
        assert (await landlord.delete(path)).status == 404
        for each in (landlord, reviewer, admin, anonymous):
            assert (await each.get(path)).status == 404
        assert (await anonymous.get("/v1/properties")).json["items"] == []

    async def test_what_is_booked_stays_booked(self, landlord: Person, reviewer: Person, tenant: Person) -> None:
        home = await listed(landlord, reviewer)
        held = await reserved(tenant, home["id"])
        assert (await landlord.delete(f"/v1/properties/{home['id']}")).status == 204
        path = f"/v1/reservations/{held['id']}"
        assert (await tenant.get(path)).json == held
        assert (await landlord.post(f"{path}/confirmation")).json["status"] == "confirmed"

    async def test_it_comes_back_unlisted_for_its_landlord_and_an_admin(
        self, landlord: Person, other_landlord: Person, reviewer: Person, admin: Person, anonymous: Person
    ) -> None:
        made = await listed(landlord, reviewer)
        path = f"/v1/properties/{made['id']}"
        assert (await landlord.delete(path)).status == 204
        for each, seen in ((landlord, [made["id"]]), (admin, [made["id"]]), (other_landlord, []), (reviewer, [])):
            gone = await each.get("/v1/properties?deleted=true")
            assert [item["id"] for item in gone.json["items"]] == seen
        assert (await anonymous.get("/v1/properties?deleted=true")).status == 401
        assert (await anonymous.post(f"{path}/restoration")).status == 401
        assert (await other_landlord.post(f"{path}/restoration")).status == 404
        back = await landlord.post(f"{path}/restoration")
        assert (back.status, back.json["status"]) == (200, "unlisted")
        assert (await anonymous.get(path)).status == 404
        assert (await landlord.put(f"{path}/publication")).json["status"] == "listed"
        assert (await landlord.post(f"{path}/restoration")).code == "not_deleted"

    async def test_after_ninety_days_it_is_gone_for_good_unless_others_point_to_it(
        self, stage: Stage, landlord: Person, reviewer: Person, tenant: Person, clock: Clock
    ) -> None:
        forgotten, booked = await draft(landlord), await listed(landlord, reviewer)
        await reserved(tenant, booked["id"])
        for each in (forgotten, booked):
            await landlord.delete(f"/v1/properties/{each['id']}")
        clock.advance(timedelta(days=91))
        async with stage.database.writing(system("purge")) as unit:
            purge = next(job for job in stage.app.jobs.jobs if job.name == "freehold.deleted.purge")
            await purge.function(unit.session)
        async with stage.database.reading(system("look")) as session:
            assert [str(key) for key in await session.scalars(select(Property.id))] == [booked["id"]]


class TestHistory:
    async def test_its_landlord_and_staff_see_what_became_of_it(
        self, landlord: Person, other_landlord: Person, tenant: Person, reviewer: Person, anonymous: Person
    ) -> None:
        made = await listed(landlord, reviewer, street="1 Harbour Road")
        path = f"/v1/properties/{made['id']}"
        await landlord.patch(path, {"title": "A cottage", "price_amount": 15000})
        told = (await landlord.get(f"{path}/history")).json["items"]
        assert [item["action"] for item in told] == [
            "properties.updated", "properties.publication", "properties.created",
        ]  # fmt: skip
        assert told[0]["by"] == landlord.id
        assert told[0]["changes"]["price_amount"] == {"from": 14500, "to": 15000}
        assert told[1]["changes"]["status"] == {"from": "draft", "to": "listed"}
        assert not {"search", "city_key", "landlord_key"} & told[2]["changes"].keys()
        assert (await reviewer.get(f"{path}/history")).json["items"] == told
        for other, status in ((other_landlord, 403), (tenant, 403), (anonymous, 401)):
            assert (await other.get(f"{path}/history")).status == status
        await landlord.delete(path)
        assert (await landlord.get(f"{path}/history")).json["items"][0]["action"] == "properties.deleted"

    async def test_leaving_erases_what_it_held(self, stage: Stage, landlord: Person, reviewer: Person) -> None:
        made = await listed(landlord, reviewer, street="1 Harbour Road")
        await landlord.patch(f"/v1/properties/{made['id']}", {"street": "2 Harbour Road"})
        assert (await landlord.delete("/v1/users/me")).status == 204
        async with stage.database.reading(system("look")) as session:
            asked = text("SELECT content FROM freehold_audit_values WHERE subject_id = :of")
            kept = (await session.execute(asked, {"of": made["id"]})).all()
            assert len(kept) == 1, "of the deletion itself"
            assert "Harbour" not in str(kept)

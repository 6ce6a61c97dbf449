"""`/v1/verification-requests`: asking, the queue, and a reviewer's decisions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from .world import Person, draft, listed, reserved, verified

pytestmark = pytest.mark.anyio
PATH = "/v1/verification-requests"


class TestSubmit:
    async def test_a_landlord_asks(self, landlord: Person) -> None:
        answer = await landlord.post(PATH, {"subject": "identity", "document_ids": []})
        assert (answer.status, answer.json["status"]) == (201, "pending")
        assert answer.json["landlord_id"] == landlord.id
        assert "reviewer_id" not in answer.json

    async def test_others_may_not(self, anonymous: Person, tenant: Person, reviewer: Person) -> None:
        assert (await anonymous.post(PATH, {"subject": "identity"})).status == 401
        assert (await tenant.post(PATH, {"subject": "identity"})).status == 403
        assert (await reviewer.post(PATH, {"subject": "identity"})).status == 403

    async def test_one_open_request_for_each_subject(self, landlord: Person, reviewer: Person) -> None:
        home, other = await draft(landlord), await draft(landlord)
        first = await landlord.made(PATH, {"subject": "identity"})
        again = await landlord.post(PATH, {"subject": "identity"})
        assert (again.status, again.code) == (409, "imba.verification_open")
        for each in (home, other):
            await landlord.made(PATH, {"subject": "property", "property_id": each["id"]})
        again = await landlord.post(PATH, {"subject": "property", "property_id": home["id"]})
        assert (again.status, again.code) == (409, "imba.verification_open")
        await reviewer.made(f"{PATH}/{first['id']}/rejection", {"reason": "Blurred."})
        assert (await landlord.post(PATH, {"subject": "identity"})).status == 201

    async def test_what_is_verified_needs_no_more(self, landlord: Person, reviewer: Person) -> None:
        await verified(landlord, reviewer, (await draft(landlord))["id"])
        again = await landlord.post(PATH, {"subject": "identity"})
        assert (again.status, again.code) == (409, "imba.already_verified")

    async def test_only_one_s_own_property(self, landlord: Person, other_landlord: Person, reviewer: Person) -> None:
        hidden = await other_landlord.post(PATH, {"subject": "property", "property_id": (await draft(landlord))["id"]})
        never = await other_landlord.post(
            PATH, {"subject": "property", "property_id": "0190b0a0-0000-7000-8000-000000000000"}
        )
        assert (hidden.status, hidden.json["errors"]) == (422, never.json["errors"])
        seen = (await listed(landlord, reviewer))["id"]
        assert (await other_landlord.post(PATH, {"subject": "property", "property_id": seen})).status == 403

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"subject": "company"},
            {"subject": "property"},
            {"subject": "identity", "document_ids": ["0190b0a0-0000-7000-8000-000000000000"]},
            {"subject": "identity", "document_ids": ["mine.pdf"]},
            {"subject": "identity", "status": "approved"},
            {"subject": "identity", "landlord_id": "0190b0a0-0000-7000-8000-000000000000"},
        ],
    )
    async def test_bad_input(self, landlord: Person, body: dict[str, Any]) -> None:
        assert (await landlord.post(PATH, body)).status == 422

    async def test_an_identity_has_no_property(self, landlord: Person) -> None:
        home = await draft(landlord)
        assert (await landlord.post(PATH, {"subject": "identity", "property_id": home["id"]})).status == 422


class TestQueue:
    async def test_own_for_landlords_and_all_for_staff(
        self,
        landlord: Person,
        other_landlord: Person,
        reviewer: Person,
        admin: Person,
        tenant: Person,
        anonymous: Person,
    ) -> None:
        first = await landlord.made(PATH, {"subject": "identity"})
        second = await other_landlord.made(PATH, {"subject": "identity"})

        async def seen(person: Person, query: str = "") -> list[str]:
            return [item["id"] for item in (await person.get(f"{PATH}{query}")).json["items"]]

        assert await seen(landlord) == [first["id"]]
        assert await seen(other_landlord) == [second["id"]]
        assert await seen(reviewer, "?status=pending&sort=created_at") == [first["id"], second["id"]]
        assert sorted(await seen(admin)) == sorted([first["id"], second["id"]])
        assert await seen(reviewer, "?status=approved") == []
        assert await seen(reviewer, f"?landlord_id={landlord.id}&subject=identity") == [first["id"]]
        assert (await other_landlord.get(f"{PATH}/{first['id']}")).status == 404
        assert (await anonymous.get(PATH)).status == 401
        assert (await tenant.get(PATH)).json["items"] == []


class TestDecide:
    async def test_a_reviewer_approves(self, landlord: Person, reviewer: Person) -> None:
        asked = await landlord.made(PATH, {"subject": "identity"})
        answer = await reviewer.post(f"{PATH}/{asked['id']}/approval")
        assert (answer.status, answer.json["status"]) == (200, "approved")
        assert answer.json["reviewer_id"] == reviewer.id
        shown = (await landlord.get(f"{PATH}/{asked['id']}")).json
        assert shown["status"] == "approved"
        assert "reviewer_id" not in shown

    async def test_or_rejects_with_a_reason(self, landlord: Person, reviewer: Person) -> None:
        asked = await landlord.made(PATH, {"subject": "identity"})
        path = f"{PATH}/{asked['id']}/rejection"
        for body in (
            {},
            {"reason": ""},
            {"reason": "  "},
            {"reason": "x" * 501},
            {"reason": "no", "status": "approved"},
        ):
            assert (await reviewer.post(path, body)).status == 422
        answer = await reviewer.post(path, {"reason": "The name does not match."})
        assert (answer.status, answer.json["status"]) == (200, "rejected")
        assert (await landlord.get(f"{PATH}/{asked['id']}")).json["reason"] == "The name does not match."

    async def test_nobody_else_may(
        self, landlord: Person, other_landlord: Person, tenant: Person, anonymous: Person, admin: Person
    ) -> None:
        asked = await landlord.made(PATH, {"subject": "identity"})
        path = f"{PATH}/{asked['id']}/approval"
        assert (await anonymous.post(path)).status == 401
        for each in (landlord, other_landlord, tenant, admin):
            assert (await each.post(path)).status == 403

    async def test_never_one_s_own(self, reviewing_landlord: Person, reviewer: Person) -> None:
        asked = await reviewing_landlord.made(PATH, {"subject": "identity"})
        for step, body in (("approval", None), ("rejection", {"reason": "x"}), ("revocation", {"reason": "x"})):
            assert (await reviewing_landlord.post(f"{PATH}/{asked['id']}/{step}", body)).status == 403
        assert (await reviewer.post(f"{PATH}/{asked['id']}/approval")).status == 200

    async def test_steps_cannot_be_skipped_or_repeated(self, landlord: Person, reviewer: Person) -> None:
        asked = await landlord.made(PATH, {"subject": "identity"})

        async def step(name: str) -> tuple[int, str]:
            body = None if name == "approval" else {"reason": "Because."}
            answer = await reviewer.post(f"{PATH}/{asked['id']}/{name}", body)
            return answer.status, answer.json.get("code") or answer.json["status"]

        wrong = (409, "imba.verification_state")
        assert await step("revocation") == wrong
        assert await step("approval") == (200, "approved")
        assert await step("approval") == wrong
        assert await step("rejection") == wrong
        assert await step("revocation") == (200, "revoked")
        assert await step("revocation") == wrong
        assert await step("approval") == wrong


class TestRevoke:
    async def test_of_the_identity_unlists_everything(
        self, landlord: Person, other_landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        first, second = await listed(landlord, reviewer), await listed(landlord, reviewer)
        bystander = await listed(other_landlord, reviewer)
        identity = (await landlord.get(f"{PATH}?subject=identity")).json["items"][0]["id"]
        answer = await reviewer.post(f"{PATH}/{identity}/revocation", {"reason": "The document had expired."})
        assert (answer.status, answer.json["status"]) == (200, "revoked")
        for home in (first, second):
            assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 404
            assert (await landlord.get(f"/v1/properties/{home['id']}")).json["status"] == "unlisted"
            again = await landlord.put(f"/v1/properties/{home['id']}/publication")
            assert (again.status, again.code) == (409, "imba.not_verified")
        assert (await anonymous.get(f"/v1/properties/{bystander['id']}")).status == 200

    async def test_of_one_property_unlists_that_one(
        self, landlord: Person, reviewer: Person, anonymous: Person
    ) -> None:
        first, second = await listed(landlord, reviewer), await listed(landlord, reviewer)
        query = f"{PATH}?property_id={first['id']}"
        request = (await landlord.get(query)).json["items"][0]["id"]
        await reviewer.made(f"{PATH}/{request}/revocation", {"reason": "Sold."})
        assert (await anonymous.get(f"/v1/properties/{first['id']}")).status == 404
        assert (await anonymous.get(f"/v1/properties/{second['id']}")).status == 200

    async def test_what_is_booked_stays_booked(self, landlord: Person, reviewer: Person, tenant: Person) -> None:
        home = await listed(landlord, reviewer)
        held = await reserved(tenant, home["id"])
        request = (await landlord.get(f"{PATH}?subject=identity")).json["items"][0]["id"]
        await reviewer.made(f"{PATH}/{request}/revocation", {"reason": "Expired."})
        assert (await tenant.get(f"/v1/reservations/{held['id']}")).json["status"] == "pending"

    async def test_a_refused_one_changes_nothing(self, landlord: Person, reviewer: Person, anonymous: Person) -> None:
        home = await listed(landlord, reviewer)
        request = (await landlord.get(f"{PATH}?subject=identity")).json["items"][0]["id"]
        assert (await reviewer.post(f"{PATH}/{request}/revocation", {})).status == 422
        assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 200


class TestTrailAndNotices:
    async def test_every_step_is_recorded_and_told(
        self, landlord: Person, reviewer: Person, trail: Any, mails: Any
    ) -> None:
        home = await listed(landlord, reviewer)
        identity = (await landlord.get(f"{PATH}?subject=identity")).json["items"][0]["id"]
        await reviewer.made(f"{PATH}/{identity}/revocation", {"reason": "The document had expired."})
        steps = [(row.action, row.principal_id) for row in await trail("verification-requests", identity)]
        assert steps == [
            ("verification-requests.created", UUID(landlord.id)),
            ("verification-requests.approval", UUID(reviewer.id)),
            ("verification-requests.revocation", UUID(reviewer.id)),
        ]
        unlisted = [row for row in await trail("properties", home["id"]) if row.action == "properties.unlisted"]
        assert [(row.principal_id, row.after) for row in unlisted] == [(UUID(reviewer.id), {"status": "unlisted"})]
        told = [mail["text"] for mail in await mails(landlord.email) if "identity" in mail["subject"]]
        assert len(told) == 3
        assert "The document had expired." in told[-1]
        assert home["title"] in told[-1]

"""`/v1/threads` and `/v1/messages`: what the two sides write each other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from freehold.testing import Clock, Stage

from ..settings import ImbaSettings
from .conftest import person
from .world import Json, Person, draft, listed, reserved

pytestmark = pytest.mark.anyio
PATH = "/v1/threads"


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    found: str = (await listed(landlord, reviewer))["id"]
    return found


@pytest.fixture
def two_an_hour(stage: Stage) -> None:
    stage.database.parts[ImbaSettings] = ImbaSettings(messages_per_hour=2)


async def asked(person: Person, home: str, text: str = "Is the street quiet?") -> Json:
    return await person.made(PATH, {"property_id": home, "text": text})


async def said(person: Person, thread: Json) -> list[tuple[int, str, str]]:
    """Number, sender and text of each message, as the person reads them."""
    items = (await person.get(f"{PATH}/{thread['id']}/messages")).json["items"]
    return [(item["number"], item["sender_id"], item["text"]) for item in reversed(items)]


async def unread(person: Person) -> tuple[int, int]:
    found = (await person.get("/v1/unread-messages")).json
    return found["threads"], found["messages"]


class TestWriting:
    async def test_about_a_listing_and_back(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person, admin: Person, anonymous: Person
    ) -> None:
        thread = await asked(tenant, home)
        assert (thread["property_id"], thread["tenant_id"], thread["landlord_id"]) == (home, tenant.id, landlord.id)
        assert (thread["tenant_name"], thread["message_count"], thread["tenant_unread"]) == ("Person", 1, 0)
        assert "landlord_unread" not in thread
        answer = await landlord.post(f"{PATH}/{thread['id']}/messages", {"text": "At night, yes."})
        assert (answer.status, answer.json["number"], answer.json["sender_id"]) == (201, 2, landlord.id)
        again = await asked(tenant, home, "And by day?")
        assert (again["id"], again["message_count"]) == (thread["id"], 3)
        for side in (tenant, landlord):
            assert await said(side, thread) == [
                (1, tenant.id, "Is the street quiet?"),
                (2, landlord.id, "At night, yes."),
                (3, tenant.id, "And by day?"),
            ]
        message = f"/v1/messages/{answer.json['id']}"
        for other in (other_tenant, admin):
            assert (await other.get(f"{PATH}/{thread['id']}")).status == 404
            assert (await other.get(f"{PATH}/{thread['id']}/messages")).status == 404
            assert (await other.get(message)).status == 404
            for path, body in ((f"{PATH}/{thread['id']}/messages", {}), ("/v1/messages", {"thread_id": thread["id"]})):
                assert (await other.post(path, body | {"text": "Let me in."})).status in (404, 422)
            assert (await other.post(f"{PATH}/{thread['id']}/reading", {})).status == 404
        assert (await anonymous.get(PATH)).status == 401
        assert (await asked(other_tenant, home))["id"] != thread["id"]
        assert len((await landlord.get(PATH)).json["items"]) == 2
        assert (await tenant.patch(message, {"text": "Never."})).status == 405

    async def test_about_a_reservation_by_either_side(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person, admin: Person
    ) -> None:
        held = await reserved(tenant, home)
        about = {"reservation_id": held["id"], "text": "The key is under the mat."}
        thread = await landlord.made(PATH, about)
        assert (thread["reservation_id"], thread["tenant_id"]) == (held["id"], tenant.id)
        assert (await tenant.made(PATH, about | {"text": "Thanks."}))["id"] == thread["id"]
        assert (await asked(tenant, home))["id"] != thread["id"], "about the listing, another one"
        assert (await other_tenant.post(PATH, about)).status == 422
        assert (await admin.post(PATH, about)).status == 403
        # Off the market the listing cannot be asked about any more, and the stay can.
        await landlord.delete(f"/v1/properties/{home}/publication")
        assert (await other_tenant.post(PATH, {"property_id": home, "text": "Is it free?"})).status == 422
        assert (await tenant.made(PATH, about))["message_count"] == 3

    async def test_bad_input(self, home: str, landlord: Person, tenant: Person) -> None:
        for body in (
            {"text": "To whom?"},
            {"property_id": home, "text": "  "},
            {"property_id": home, "text": "x" * 4001},
            {"property_id": home, "reservation_id": home, "text": "Both."},
            {"property_id": home, "text": "Hello.", "tenant_id": landlord.id},
            {"property_id": (await draft(landlord))["id"], "text": "A draft of somebody else's."},
        ):
            assert (await tenant.post(PATH, body)).status == 422, body
        own = await landlord.post(PATH, {"property_id": home, "text": "Hello, me."})
        assert (own.status, own.code) == (403, "imba.own_property")


class TestUnread:
    async def test_counts_follow_every_message_and_reading(
        self, home: str, tenant: Person, landlord: Person, other_tenant: Person
    ) -> None:
        thread, other = await asked(tenant, home), await asked(other_tenant, home)
        for text in ("Two.", "Three."):
            await tenant.made(f"{PATH}/{thread['id']}/messages", {"text": text})
        assert (await unread(landlord), await unread(tenant)) == ((2, 4), (0, 0))
        reading = f"{PATH}/{thread['id']}/reading"
        assert (await landlord.made(reading, {"up_to": 2}))["landlord_unread"] == 1
        assert (await landlord.made(reading, {"up_to": 1}))["landlord_unread"] == 1, "what was read stays read"
        assert await unread(landlord) == (2, 2)
        await landlord.made(f"{PATH}/{thread['id']}/messages", {"text": "Four."})
        assert (await unread(landlord), await unread(tenant)) == ((2, 2), (1, 1))
        assert (await landlord.made(reading, {}))["landlord_unread"] == 0
        assert (await tenant.made(reading, {"up_to": 3}))["tenant_unread"] == 1
        await landlord.made(f"{PATH}/{other['id']}/reading", {})
        assert (await unread(landlord), await unread(tenant)) == ((0, 0), (1, 1))
        for wrong in (0, 2**31, 2**70, "3"):
            assert (await tenant.post(reading, {"up_to": wrong})).status == 422

    async def test_told_once_until_it_is_read(self, home: str, tenant: Person, landlord: Person, mails: Any) -> None:
        async def told() -> tuple[int, int]:
            notices = (await landlord.get("/v1/notices?kind=message")).json["items"]
            assert all(notice["link"] == f"{PATH}/{thread['id']}" for notice in notices)
            assert all("quiet" not in notice["text"] for notice in notices), "the words stay in the thread"
            found = [mail for mail in await mails(landlord.email) if mail["subject"] == "Imba: A new message"]
            return len(notices), len(found)

        thread = await asked(tenant, home)
        for text in ("Two.", "Three."):
            await tenant.made(f"{PATH}/{thread['id']}/messages", {"text": text})
        assert await told() == (1, 1)
        await landlord.made(f"{PATH}/{thread['id']}/reading", {})
        await landlord.made("/v1/notice-preferences", {"kind": "message", "mail": False})
        for text in ("Four.", "Five."):
            await tenant.made(f"{PATH}/{thread['id']}/messages", {"text": text})
        assert await told() == (2, 1)


class TestQuota:
    async def test_so_many_in_any_hour_over_all_threads(
        self, two_an_hour: None, home: str, landlord: Person, reviewer: Person, tenant: Person, clock: Clock
    ) -> None:
        thread = await asked(tenant, home)
        clock.advance(minutes=30)
        await asked(tenant, (await listed(landlord, reviewer))["id"])
        for path, body in ((PATH, {"property_id": home}), ("/v1/messages", {"thread_id": thread["id"]})):
            answer = await tenant.post(path, body | {"text": "Once more."})
            assert (answer.status, answer.code, answer.headers["retry-after"]) == (
                429,
                "imba.too_many_messages",
                "1800",
            )
        assert (await landlord.post(f"{PATH}/{thread['id']}/messages", {"text": "Each their own."})).status == 201
        clock.advance(minutes=30)
        assert (await asked(tenant, home))["message_count"] == 3
        assert (await tenant.post("/v1/messages", {"thread_id": thread["id"], "text": "Four."})).status == 429


class TestLeaving:
    async def test_takes_one_s_words_along(self, home: str, tenant: Person, landlord: Person, trail: Any) -> None:
        thread = await asked(tenant, home, "I am Zoe, call 555-0100.")
        await landlord.made(f"{PATH}/{thread['id']}/messages", {"text": "Gladly."})
        exported = (await tenant.get("/v1/users/me/export")).json
        assert [each["text"] for each in exported["messages"]] == ["I am Zoe, call 555-0100."]
        assert [(each["id"], "landlord_unread" in each) for each in exported["threads"]] == [(thread["id"], False)]
        assert (await tenant.delete("/v1/users/me")).status == 204
        left = (await landlord.get(f"{PATH}/{thread['id']}")).json
        assert (left["tenant_name"], left["landlord_name"]) == ("", "Person")
        assert left["closed_at"] is not None
        assert [text for _, _, text in await said(landlord, thread)] == ["", "Gladly."]
        answer = await landlord.post(f"{PATH}/{thread['id']}/messages", {"text": "Still there?"})
        assert (answer.status, answer.code) == (409, "imba.thread_closed")
        for row in [*await trail("threads", thread["id"]), *await trail("messages", "")]:
            assert "Zoe" not in str(row)


class TestAtOnce:
    async def test_one_thread_every_message_and_exact_counts(self, real_stage: Stage) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        reviewer = await person(real_stage, None, "reviewer")
        tenant = await person(real_stage, "tenant", "tenant")
        home = (await listed(landlord, reviewer))["id"]
        about = {"reservation_id": (await reserved(tenant, home))["id"], "text": "Hello."}
        opened = await asyncio.gather(*(side.post(PATH, about) for side in (tenant, landlord) for _ in range(3)))
        assert {answer.status for answer in opened} == {201}
        (thread,) = {answer.json["id"] for answer in opened}
        path = f"{PATH}/{thread}/messages"
        await asyncio.gather(*(side.post(path, {"text": "More."}) for side in (tenant, landlord) for _ in range(4)))
        found = (await tenant.get(f"{PATH}/{thread}")).json
        assert (found["message_count"], found["tenant_unread"]) == (14, 7)
        assert [number for number, _, _ in await said(landlord, found)] == list(range(1, 15))
        assert (await unread(landlord), await unread(tenant)) == ((1, 7), (1, 7))

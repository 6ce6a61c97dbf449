"""Reports of messages, the moderators' queue, and blocking the other side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from freehold.fields import new_id
from freehold.testing import Stage

from .conftest import person
from .world import Json, Person, listed

pytestmark = pytest.mark.anyio
PATH = "/v1/reports"


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    found: str = (await listed(landlord, reviewer))["id"]
    return found


@pytest.fixture
async def thread(home: str, tenant: Person, landlord: Person) -> Json:
    """What a tenant and a landlord write each other, as the tenant sees it."""
    found = await tenant.made("/v1/threads", {"property_id": home, "text": "Is it quiet?"})
    await landlord.made(f"/v1/threads/{found['id']}/messages", {"text": "Send the money to my cousin first."})
    return found


async def words(reader: Person, thread: Json) -> list[str]:
    answer = await reader.get(f"/v1/threads/{thread['id']}/messages")
    return [each["text"] for each in answer.json["items"]] if answer.status == 200 else []


async def of_landlord(thread: Json, tenant: Person, landlord: Person) -> str:
    items = (await tenant.get(f"/v1/threads/{thread['id']}/messages")).json["items"]
    return next(each["id"] for each in items if each["sender_id"] == landlord.id)


class TestReporting:
    async def test_opens_this_thread_to_staff_until_it_is_decided_and_no_other(
        self, thread: Json, home: str, tenant: Person, other_tenant: Person, landlord: Person, reviewer: Person
    ) -> None:
        other = await other_tenant.made("/v1/threads", {"property_id": home, "text": "How many steps?"})
        assert (await reviewer.get(f"/v1/threads/{thread['id']}")).status == 404
        message = await of_landlord(thread, tenant, landlord)
        made = await tenant.made(PATH, {"thread_id": thread["id"], "message_id": message, "reason": "fraud"})
        assert (made["status"], made["reporter_id"], made["message_id"]) == ("open", tenant.id, message)

        queue = (await reviewer.get(f"{PATH}?status=open&facets=reason")).json
        assert [each["id"] for each in queue["items"]] == [made["id"]]
        assert len(await words(reviewer, thread)) == 2
        assert [each["id"] for each in (await reviewer.get("/v1/threads")).json["items"]] == [thread["id"]]
        assert await words(reviewer, other) == []
        seen = (await reviewer.get(f"/v1/threads/{thread['id']}")).json
        assert "tenant_unread" not in seen or seen["tenant_unread"] is None
        assert (await reviewer.get("/v1/unread-messages")).json == {"threads": 0, "messages": 0}

        await reviewer.made(f"{PATH}/{made['id']}/dismissal", {"decision": "A joke between friends."})
        assert await words(reviewer, thread) == []
        assert (await reviewer.get("/v1/threads")).json["items"] == []
        assert (await reviewer.get(f"{PATH}/{made['id']}")).json["decision"] == "A joke between friends."

    async def test_only_by_the_two_sides_and_of_the_other_one_s_message(
        self, thread: Json, tenant: Person, landlord: Person, other_tenant: Person, anonymous: Person
    ) -> None:
        report = {"thread_id": thread["id"], "reason": "spam"}
        assert (await anonymous.post(PATH, report)).status == 401
        assert (await other_tenant.post(PATH, report)).pointers == ["/thread_id"]
        own = await landlord.post(PATH, report | {"message_id": await of_landlord(thread, tenant, landlord)})
        assert (own.status, own.pointers) == (422, ["/message_id"])
        unknown = await tenant.post(PATH, report | {"message_id": str(new_id())})
        assert (unknown.status, unknown.pointers) == (422, ["/message_id"])
        assert (await tenant.post(PATH, report | {"thread_id": str(new_id())})).pointers == ["/thread_id"]
        assert (await tenant.post(PATH, report | {"status": "upheld"})).status == 422

    async def test_the_other_side_never_learns_of_it(self, thread: Json, tenant: Person, landlord: Person) -> None:
        made = await tenant.made(PATH, {"thread_id": thread["id"], "reason": "spam"})
        assert (await landlord.get(f"{PATH}/{made['id']}")).status == 404
        assert (await landlord.get(PATH)).json["items"] == []

    async def test_one_is_open_at_a_time(
        self, thread: Json, tenant: Person, landlord: Person, reviewer: Person
    ) -> None:
        report = {"thread_id": thread["id"], "reason": "spam"}
        first = await tenant.made(PATH, report)
        again = await tenant.post(PATH, report)
        assert (again.status, again.code) == (409, "imba.reported")
        await landlord.made(PATH, report)
        await reviewer.made(f"{PATH}/{first['id']}/dismissal", {"decision": "No."})
        await tenant.made(PATH, report)


class TestDeciding:
    async def test_upholding_closes_the_thread_and_tells_both_sides(
        self, thread: Json, tenant: Person, landlord: Person, reviewer: Person, trail: Callable[..., Awaitable[Any]]
    ) -> None:
        made = await tenant.made(PATH, {"thread_id": thread["id"], "reason": "fraud", "text": "Wants cash."})
        body = {"decision": "Asks for money elsewhere.", "closes_thread": True}
        missing = await reviewer.post(f"{PATH}/{made['id']}/upholding", body)
        assert (missing.status, missing.pointers) == (422, ["/told"])
        body["told"] = "Nobody is asked to pay elsewhere."
        assert (await reviewer.made(f"{PATH}/{made['id']}/upholding", body))["status"] == "upheld"
        for side in (tenant, landlord):
            answer = await side.post(f"/v1/threads/{thread['id']}/messages", {"text": "Hello?"})
            assert (answer.status, answer.code) == (409, "imba.thread_closed")
            told = [each["text"] for each in (await side.get("/v1/notices?kind=message")).json["items"]]
            assert sum("Nobody is asked to pay elsewhere." in text for text in told) == 1
        mine = (await tenant.get(f"{PATH}/{made['id']}")).json
        assert (mine["status"], mine.get("decision"), mine.get("moderator_id")) == ("upheld", None, None)
        assert [row.action for row in await trail("reports", made["id"])] == ["reports.created", "reports.upholding"]
        assert "threads.closed" in [row.action for row in await trail("threads", thread["id"])]

    async def test_once_and_by_staff_who_take_no_part(
        self, stage: Stage, home: str, landlord: Person, tenant: Person, reviewer: Person
    ) -> None:
        writer = await person(stage, "tenant", "tenant", "reviewer")
        thread = await writer.made("/v1/threads", {"property_id": home, "text": "Is it quiet?"})
        made = await landlord.made(PATH, {"thread_id": thread["id"], "reason": "harassment"})
        path, body = f"{PATH}/{made['id']}/dismissal", {"decision": "Nothing."}
        assert (await writer.post(path, body)).status == 404
        assert (await landlord.post(path, body)).status == 403
        assert (await tenant.post(path, body)).status == 403
        await reviewer.made(path, body)
        again = await reviewer.post(path, body)
        assert (again.status, again.code) == (409, "imba.report_decided")

    async def test_by_one_of_two_moderators(self, real_stage: Stage) -> None:
        landlord, tenant = (
            await person(real_stage, "landlord", "landlord"),
            await person(real_stage, "tenant", "tenant"),
        )
        one, other = await person(real_stage, None, "reviewer"), await person(real_stage, None, "admin")
        home = (await listed(landlord, one))["id"]
        thread = await tenant.made("/v1/threads", {"property_id": home, "text": "Is it quiet?"})
        made = await landlord.made(PATH, {"thread_id": thread["id"], "reason": "spam"})
        answers = await asyncio.gather(
            one.post(f"{PATH}/{made['id']}/upholding", {"decision": "Yes."}),
            other.post(f"{PATH}/{made['id']}/dismissal", {"decision": "No."}),
        )
        assert sorted(answer.status for answer in answers) == [200, 409]


class TestBlocking:
    async def test_neither_writes_to_the_other_in_any_thread_until_it_is_taken_back(
        self, thread: Json, tenant: Person, landlord: Person, reviewer: Person
    ) -> None:
        blocked = await tenant.made("/v1/blocked-people", {"thread_id": thread["id"]})
        assert blocked["blocked_id"] == landlord.id
        other_home = (await listed(landlord, reviewer, title="Barn"))["id"]
        path = f"/v1/threads/{thread['id']}/messages"
        for answer in (
            await landlord.post(path, {"text": "Hello?"}),
            await tenant.post(path, {"text": "Hello?"}),
            await tenant.post("/v1/threads", {"property_id": other_home, "text": "And this one?"}),
        ):
            assert (answer.status, answer.code) == (409, "imba.blocked")
        assert len(await words(tenant, thread)) == 2
        assert (await landlord.get("/v1/blocked-people")).json["items"] == []
        assert (await tenant.made("/v1/blocked-people", {"thread_id": thread["id"]}))["id"] == blocked["id"]
        assert (await tenant.delete(f"/v1/blocked-people/{blocked['id']}")).status == 204
        await landlord.made(path, {"text": "Hello again."})

    async def test_only_of_a_thread_of_one_s_own(self, thread: Json, other_tenant: Person, reviewer: Person) -> None:
        for somebody in (other_tenant, reviewer):
            answer = await somebody.post("/v1/blocked-people", {"thread_id": thread["id"]})
            assert (answer.status, answer.pointers) == (422, ["/thread_id"])

    async def test_nothing_is_told_to_who_takes_no_part(
        self, thread: Json, tenant: Person, other_tenant: Person
    ) -> None:
        await tenant.made("/v1/blocked-people", {"thread_id": thread["id"]})
        for wanted in (thread["id"], str(new_id())):
            answer = await other_tenant.post("/v1/messages", {"thread_id": wanted, "text": "Hello?"})
            assert (answer.status, answer.pointers) == (422, ["/thread_id"])


async def test_who_leaves_takes_their_words_along(thread: Json, tenant: Person, reviewer: Person) -> None:
    await tenant.made(PATH, {"thread_id": thread["id"], "reason": "other", "text": "I am Zoe, call 555-0100."})
    await tenant.made("/v1/blocked-people", {"thread_id": thread["id"]})
    exported = (await tenant.get("/v1/users/me/export")).json
    assert (exported["reports"][0]["text"], len(exported["blocked_people"])) == ("I am Zoe, call 555-0100.", 1)
    assert (await tenant.delete("/v1/users/me")).status == 204
    assert [each["text"] for each in (await reviewer.get(PATH)).json["items"]] == [""]

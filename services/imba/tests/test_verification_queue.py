"""The reviewer's queue: claims, questions, documents that expire, and what is left of them after a time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from freehold import system
from freehold.testing import Answer, Clock, Stage

from ..media.models import Medium
from ..verification import jobs
from .conftest import person
from .world import Json, Person, day, draft, listed

pytestmark = pytest.mark.anyio
PATH = "/v1/verification-requests"
WHY = {"reason": "The photo is blurred."}
ROUNDS = 4


@pytest.fixture
async def second(stage: Stage) -> Person:
    """Another reviewer."""
    return await person(stage, None, "reviewer")


async def run(stage: Stage, job: Any) -> None:
    """A job, as the schedule runs it."""

    async def work(unit: Any) -> None:
        await job(unit.session)

    await stage.database.run(system("a schedule of the tests"), work)


async def document(person: Person, name: str = "passport") -> str:
    """The id of a document that the person has uploaded."""
    content = f"%PDF-1.4\n% {name}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".encode()
    file = {"file": (f"{name}.pdf", content, "application/pdf")}
    answer = Answer(await person.client.post("/v1/media", files=file, data={"purpose": "document"}))
    assert (answer.status, answer.json["status"]) == (201, "ready"), answer.text
    found: str = answer.json["id"]
    return found


def passport(document_id: str, **more: Any) -> Json:
    return {"id": document_id, "kind": "identity", "number": "P-12345"} | more


async def asked(landlord: Person, *documents: Json) -> str:
    """The id of a request for the check of the landlord's identity."""
    found: str = (await landlord.made(PATH, {"subject": "identity", "documents": list(documents)}))["id"]
    return found


async def step(reviewer: Person, request: str, name: str, body: Json | None = None) -> tuple[int, str]:
    """The status and what it came to: the request's status, or the code of the problem."""
    answer = await reviewer.post(f"{PATH}/{request}/{name}", body)
    return answer.status, answer.json.get("code") or answer.json["status"]


class TestClaim:
    async def test_is_one_reviewer_s_for_half_an_hour(
        self, landlord: Person, reviewer: Person, second: Person, admin: Person, clock: Clock
    ) -> None:
        request, taken = await asked(landlord), (409, "imba.verification_claimed")
        assert await step(reviewer, request, "claim") == (200, "pending")
        shown = (await second.get(f"{PATH}/{request}")).json
        assert (shown["claimed_by_id"], shown["claimed_until"]) == (reviewer.id, "2026-01-05T09:30:00Z")
        assert not {"claimed_by_id", "claimed_until", "note"} & (await landlord.get(f"{PATH}/{request}")).json.keys()
        for name, body in (("claim", None), ("approval", None), ("rejection", WHY), ("information-request", WHY)):
            assert await step(second, request, name, body) == taken
        assert (await second.delete(f"{PATH}/{request}/claim")).status == 409
        assert (await admin.post(f"{PATH}/{request}/claim")).status == 403
        assert (await landlord.post(f"{PATH}/{request}/claim")).status == 403
        clock.advance(minutes=29)
        assert await step(reviewer, request, "claim") == (200, "pending"), "once more, for longer"
        clock.advance(minutes=29)
        assert await step(second, request, "claim") == taken
        clock.advance(minutes=1)
        assert await step(second, request, "claim") == (200, "pending"), "it has run out"
        assert [(await second.delete(f"{PATH}/{request}/claim")).status for _ in range(2)] == [204, 204]
        assert await step(reviewer, request, "approval") == (200, "approved")
        assert await step(reviewer, request, "claim") == (409, "imba.verification_state")
        assert (await reviewer.get(f"{PATH}/{request}")).json["claimed_by_id"] is None

    async def test_the_queue_can_be_asked_for_what_is_free(
        self, landlord: Person, other_landlord: Person, reviewer: Person, second: Person, clock: Clock
    ) -> None:
        first, other = await asked(landlord), await asked(other_landlord)
        await step(reviewer, first, "claim")

        async def found(query: str) -> list[str]:
            return [item["id"] for item in (await second.get(f"{PATH}?status=pending&{query}")).json["items"]]

        assert await found("claimed_until__isnull=true") == [other]
        assert await found(f"claimed_by_id={reviewer.id}") == [first]
        clock.advance(minutes=31)
        assert await found("claimed_until__lt=2026-01-05T09:31:00Z") == [first]
        assert (await landlord.get(f"{PATH}?claimed_until__isnull=true")).status == 422, "staff's to ask"

    async def test_of_two_at_once_one_has_it(self, real_stage: Stage) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        reviewers = [await person(real_stage, None, "reviewer") for _ in range(4)]
        request = await asked(landlord)
        answers = await asyncio.gather(*(each.post(f"{PATH}/{request}/claim") for each in reviewers))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


class TestInformation:
    async def test_is_asked_for_and_given(
        self, landlord: Person, other_landlord: Person, reviewer: Person, mails: Any
    ) -> None:
        mine, further, theirs = await document(landlord), await document(landlord), await document(other_landlord)
        request = await asked(landlord, passport(mine))
        path = f"{PATH}/{request}/resubmission"
        assert (await landlord.post(path, {})).status == 409, "nobody has asked"
        assert await step(reviewer, request, "information-request", {"reason": " "}) == (422, "request.invalid")
        assert await step(reviewer, request, "information-request", WHY) == (200, "information_needed")
        assert WHY["reason"] in (await mails(landlord.email))[-1]["text"]
        assert await step(reviewer, request, "approval") == (409, "imba.verification_state")
        assert (await landlord.post(PATH, {"subject": "identity"})).code == "imba.verification_open"
        for wrong in ({"documents": [passport(theirs)]}, {"document_ids": [theirs]}):
            answer = await landlord.post(path, wrong)
            assert (answer.status, answer.pointers) == (422, [f"/{next(iter(wrong))}/0"])
        assert (await other_landlord.post(path, {})).status == 404
        assert (await reviewer.post(path, {})).status == 403
        given = await landlord.made(path, {"documents": [passport(further)], "document_ids": [mine]})
        assert (given["status"], given["document_ids"]) == ("pending", [mine, further]), "each once"
        assert [each["id"] for each in given["documents"]] == [mine, further]
        assert await step(reviewer, request, "approval") == (200, "approved")

    async def test_that_nobody_gives_closes_the_request(
        self, stage: Stage, landlord: Person, reviewer: Person, clock: Clock, mails: Any
    ) -> None:
        request = await asked(landlord, passport(await document(landlord)))
        await step(reviewer, request, "information-request", WHY)
        clock.advance(days=29, hours=23)
        await run(stage, jobs.close_unanswered)
        assert (await landlord.get(f"{PATH}/{request}")).json["status"] == "information_needed"
        clock.advance(hours=1)
        for _ in range(2):
            await run(stage, jobs.close_unanswered)
        closed = (await landlord.get(f"{PATH}/{request}")).json
        assert (closed["status"], "30 days" in closed["reason"]) == ("rejected", True)
        assert ["30 days" in mail["text"] for mail in await mails(landlord.email)].count(True) == 1
        assert (await landlord.post(PATH, {"subject": "identity"})).status == 201
        clock.advance(days=90)
        await run(stage, jobs.redact_documents)
        assert (await reviewer.get(f"{PATH}/{request}")).json["document_ids"] == []

    async def test_a_note_is_for_the_other_reviewers(
        self, landlord: Person, reviewer: Person, second: Person, admin: Person, trail: Any
    ) -> None:
        request = await asked(landlord, passport(await document(landlord)))
        noted = await reviewer.put(f"{PATH}/{request}/note", {"note": "Ask for the back page."})
        assert (noted.status, noted.json["note"]) == (200, "Ask for the back page.")
        assert (await second.get(f"{PATH}/{request}")).json["note"] == "Ask for the back page."
        assert "back page" not in (await landlord.get(f"{PATH}/{request}")).text
        assert "back page" not in (await landlord.get("/v1/users/me/export")).text
        for other in (landlord, admin):
            assert (await other.put(f"{PATH}/{request}/note", {"note": "Mine."})).status == 403
        records = str(await trail("verification-requests", request))
        assert "note" in records
        assert "back page" not in records
        assert "P-12345" not in records


class TestExpiry:
    async def test_of_a_document_ends_the_approval_and_the_listings(
        self, stage: Stage, landlord: Person, reviewer: Person, anonymous: Person, clock: Clock, mails: Any, trail: Any
    ) -> None:
        for wrong in (day(0), day(-1)):
            papers = [passport(await document(landlord), expires_on=wrong.isoformat())]
            answer = await landlord.post(PATH, {"subject": "identity", "documents": papers})
            assert (answer.status, answer.pointers) == (422, ["/documents/0/expires_on"])
        papers = [passport(await document(landlord), expires_on=day(offset).isoformat()) for offset in (90, 40)]
        request = await asked(landlord, *papers)
        await step(reviewer, request, "approval")
        assert (await landlord.get(f"{PATH}/{request}")).json["expires_on"] == day(40).isoformat(), "the first of them"
        home = await listed(landlord, reviewer)

        await run(stage, jobs.warn_of_expiry)
        clock.advance(days=11)
        for _ in range(2):
            await run(stage, jobs.warn_of_expiry)
            await run(stage, jobs.expire_approvals)
        warnings = [mail for mail in await mails(landlord.email) if "about to expire" in mail["subject"]]
        assert len(warnings) == 1
        assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 200

        clock.advance(days=28, hours=14, minutes=59)
        await run(stage, jobs.expire_approvals)
        assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 200
        clock.advance(minutes=1)  # the day has come, and no job yet
        await landlord.delete(f"/v1/properties/{home['id']}/publication")
        again = await landlord.put(f"/v1/properties/{home['id']}/publication")
        assert (again.status, again.code) == (409, "imba.not_verified")

    async def test_unlists_in_the_same_commit_and_makes_room_for_a_new_request(
        self, stage: Stage, landlord: Person, reviewer: Person, anonymous: Person, clock: Clock, mails: Any, trail: Any
    ) -> None:
        request = await asked(landlord, passport(await document(landlord), expires_on=day(5).isoformat()))
        await step(reviewer, request, "approval")
        home = await listed(landlord, reviewer)
        clock.advance(days=5)
        for _ in range(2):
            await run(stage, jobs.expire_approvals)
        assert (await landlord.get(f"{PATH}/{request}")).json["status"] == "expired"
        assert (await landlord.get(f"/v1/properties/{home['id']}")).json["status"] == "unlisted"
        assert (await anonymous.get(f"/v1/properties/{home['id']}")).status == 404
        told = [mail["text"] for mail in await mails(landlord.email) if "has expired" in mail["text"]]
        assert [home["title"] in text for text in told] == [True]
        assert len([row for row in await trail("properties", home["id"]) if row.action == "properties.unlisted"]) == 1
        assert (await landlord.post(PATH, {"subject": "identity"})).status == 201

    async def test_before_the_decision_is_seen(self, landlord: Person, reviewer: Person, clock: Clock) -> None:
        request = await asked(landlord, passport(await document(landlord), expires_on=day(1).isoformat()))
        clock.advance(days=1)
        assert await step(reviewer, request, "approval") == (409, "imba.verification_state")
        assert (await reviewer.get(f"{PATH}/{request}")).json["status"] == "pending"
        assert await step(reviewer, request, "information-request", WHY) == (200, "information_needed")

    async def test_while_it_is_published(self, real_stage: Stage, clock: Clock) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        reviewer = await person(real_stage, None, "reviewer")
        for round_ in range(ROUNDS):
            home = (await draft(landlord))["id"]
            request = await asked(landlord, passport(await document(landlord), expires_on=day(1).isoformat()))
            of_home = (await landlord.made(PATH, {"subject": "property", "property_id": home}))["id"]
            for each in (request, of_home):
                await step(reviewer, each, "approval")
            midnight = datetime.combine(day(1), time(), UTC)
            clock.set(midnight - timedelta(seconds=1))
            published, _ = await asyncio.gather(
                landlord.put(f"/v1/properties/{home}/publication"), self._midnight(real_stage, clock, 0.003 * round_)
            )
            assert published.status in (200, 409)
            assert (await landlord.get(f"/v1/properties/{home}")).json["status"] != "listed"
            assert (await landlord.get(f"{PATH}/{request}")).json["status"] == "expired"

    @staticmethod
    async def _midnight(stage: Stage, clock: Clock, delay_seconds: float) -> None:
        await asyncio.sleep(delay_seconds)
        clock.advance(seconds=1)
        await run(stage, jobs.expire_approvals)


class TestRedaction:
    async def test_after_a_time_nothing_of_the_documents_is_left(
        self, stage: Stage, landlord: Person, reviewer: Person, clock: Clock
    ) -> None:
        paper = await document(landlord)
        request = await asked(landlord, passport(paper, expires_on=day(400).isoformat()))
        await reviewer.put(f"{PATH}/{request}/note", {"note": "Born in Kent."})
        assert (await reviewer.get(f"/v1/media/{paper}")).status == 200
        await step(reviewer, request, "approval")
        clock.advance(days=89, hours=23)
        await run(stage, jobs.redact_documents)
        assert (await reviewer.get(f"{PATH}/{request}")).json["document_ids"] == [paper]
        clock.advance(hours=1)
        await run(stage, jobs.redact_documents)
        left = (await reviewer.get(f"{PATH}/{request}")).json
        assert (left["document_ids"], left["note"], left["status"]) == ([], None, "approved")
        assert left["documents"] == [
            {"id": None, "kind": "identity", "number": None, "expires_on": day(400 - 90).isoformat()}
        ]
        for each in (reviewer, landlord):
            assert (await each.get(f"/v1/media/{paper}")).status == 404
        late = await reviewer.put(f"{PATH}/{request}/note", {"note": "Born in Kent."})
        assert (late.status, late.code) == (409, "imba.verification_state"), "nothing would take it away again"

    async def test_spares_what_another_request_rests_on(
        self, stage: Stage, landlord: Person, reviewer: Person, clock: Clock
    ) -> None:
        shared, alone = await document(landlord), await document(landlord)
        first = await asked(landlord, passport(shared), passport(alone))
        await step(reviewer, first, "rejection", WHY)
        clock.advance(days=60)
        second = await asked(landlord, passport(shared))
        clock.advance(days=30)
        await run(stage, jobs.redact_documents)
        assert (await reviewer.get(f"{PATH}/{first}")).json["document_ids"] == []
        assert (await reviewer.get(f"/v1/media/{alone}")).status == 404
        assert (await reviewer.get(f"/v1/media/{shared}")).status == 200, "it is looked at still"
        await step(reviewer, second, "approval")
        clock.advance(days=90)
        await run(stage, jobs.redact_documents)
        assert (await reviewer.get(f"/v1/media/{shared}")).status == 404

    async def test_not_while_it_is_decided_and_at_once_when_the_landlord_leaves(
        self, stage: Stage, landlord: Person, reviewer: Person, clock: Clock
    ) -> None:
        paper = await document(landlord)
        request = await asked(landlord, passport(paper))
        clock.advance(days=200)
        await run(stage, jobs.redact_documents)
        assert (await reviewer.get(f"{PATH}/{request}")).json["document_ids"] == [paper]
        assert (await landlord.delete(f"/v1/media/{paper}")).status == 204
        async with stage.database.reading(system("a held file")) as session:
            kept = await session.get_one(Medium, UUID(paper))
            assert kept.is_held, "reviewers read it still"
        assert (await landlord.delete("/v1/users/me")).status == 204
        left = (await reviewer.get(f"{PATH}/{request}")).json
        assert (left["status"], left["document_ids"], left["documents"][0]["number"]) == ("rejected", [], None)
        assert (await reviewer.get(f"/v1/media/{paper}")).status == 404

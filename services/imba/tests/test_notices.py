"""`/v1/notices`: what people are told, once, in the commit of its cause, and by mail as they prefer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from freehold import system
from freehold.testing.stage import Stage

from ..notices import crud
from .world import Person

pytestmark = pytest.mark.anyio
PATH = "/v1/notices"


async def told(stage: Stage, person: Person, **given: Any) -> bool:
    """Tell somebody something."""
    words = {"kind": "message", "subject": "A message", "text": "Is it quiet?", "link": "/v1/threads/1"} | given
    async with stage.database.writing(system("a notice of a test")) as unit:
        return await crud.notify(unit.session, UUID(person.id), **words)


async def subjects(person: Person, query: str = "") -> list[str]:
    return [item["subject"] for item in (await person.get(f"{PATH}?{query}")).json["items"]]


class TestRead:
    async def test_own_and_nobody_else_s(
        self, stage: Stage, tenant: Person, other_tenant: Person, admin: Person, anonymous: Person
    ) -> None:
        await told(stage, tenant)
        (notice,) = (await tenant.get(PATH)).json["items"]
        assert (notice["kind"], notice["link"], notice["read_at"]) == ("message", "/v1/threads/1", None)
        for other in (other_tenant, admin):
            assert (await other.get(f"{PATH}/{notice['id']}")).status == 404
            assert (await other.post(f"{PATH}/{notice['id']}/reading")).status == 404
            assert (await other.delete(f"{PATH}/{notice['id']}")).status == 404
            assert await subjects(other) == []
        assert (await anonymous.get(PATH)).status == 401

    async def test_newest_first_and_unread_ones_alone(self, stage: Stage, tenant: Person, clock: Any) -> None:
        for subject in ("one", "two", "three"):
            await told(stage, tenant, subject=subject)
            clock.advance(seconds=1)
        read = (await tenant.get(f"{PATH}?limit=1")).json["items"][0]
        assert (await tenant.post(f"{PATH}/{read['id']}/reading")).json["read_at"] is not None
        assert await subjects(tenant) == ["three", "two", "one"]
        assert await subjects(tenant, "unread=true") == ["two", "one"]
        assert await subjects(tenant, "unread=false") == ["three"]
        assert (await tenant.get(f"{PATH}?unread=true&count=true&limit=1")).json["total"] == 2
        assert (await tenant.get(f"{PATH}?unread=soon")).pointers == ["unread"]

    async def test_reading_twice_keeps_the_first_moment(self, stage: Stage, tenant: Person, clock: Any) -> None:
        await told(stage, tenant)
        path = f"{PATH}/{(await tenant.get(PATH)).json['items'][0]['id']}/reading"
        first = (await tenant.post(path)).json["read_at"]
        clock.advance(hours=1)
        assert (await tenant.post(path)).json["read_at"] == first

    async def test_all_at_once(self, stage: Stage, tenant: Person, other_tenant: Person, anonymous: Person) -> None:
        for person in (tenant, tenant, other_tenant):
            await told(stage, person)
        answer = await tenant.post(f"{PATH}/reading")
        assert (answer.status, answer.json) == (200, {"marked": 2})
        assert (await tenant.post(f"{PATH}/reading")).json == {"marked": 0}
        assert await subjects(other_tenant, "unread=true") == ["A message"]
        assert (await anonymous.post(f"{PATH}/reading")).status == 401


class TestOnce:
    async def test_with_one_key_a_single_time(self, stage: Stage, tenant: Person, other_tenant: Person) -> None:
        assert [await told(stage, tenant, once="warning 1") for _ in range(2)] == [True, False]
        assert await told(stage, tenant, once="warning 2")
        assert await told(stage, other_tenant, once="warning 1")
        assert len(await subjects(tenant)) == 2

    async def test_nothing_is_told_when_the_cause_fails(self, stage: Stage, tenant: Person, mails: Any) -> None:
        async def cause() -> None:
            async with stage.database.writing(system("a cause that fails")) as unit:
                await crud.notify(unit.session, UUID(tenant.id), kind="visit", subject="Soon", text="At ten.")
                raise LookupError

        with pytest.raises(LookupError):
            await cause()
        assert await subjects(tenant) == []
        assert await mails(tenant.email) == []

    async def test_nobody_where_the_account_is_gone(self, stage: Stage, tenant: Person, mails: Any) -> None:
        assert (await tenant.delete("/v1/users/me")).status == 204
        assert not await told(stage, tenant, kind="reservation")
        assert await mails(tenant.email) == []


class TestPreferences:
    async def test_mails_of_a_kind_can_be_refused(self, stage: Stage, tenant: Person, mails: Any) -> None:
        await told(stage, tenant, subject="first")
        answer = await tenant.post("/v1/notice-preferences", {"kind": "message", "mail": False})
        assert (answer.status, answer.json["mail"]) == (201, False)
        await told(stage, tenant, subject="second")
        await told(stage, tenant, kind="reservation", subject="third")
        again = await tenant.made("/v1/notice-preferences", {"kind": "message", "mail": True})
        assert again["id"] == answer.json["id"]
        await told(stage, tenant, subject="fourth")
        assert sorted(mail["subject"] for mail in await mails(tenant.email)) == [
            "Imba: first",
            "Imba: fourth",
            "Imba: third",
        ]
        assert len(await subjects(tenant)) == 4

    async def test_a_mail_of_a_kind_that_may_be_left_says_how_and_an_essential_one_does_not(
        self, stage: Stage, tenant: Person, anonymous: Person, mails: Any
    ) -> None:
        await told(stage, tenant, subject="<b>first", link="/v1/reservations/1")
        await told(stage, tenant, kind="reservation", subject="second")
        first, second = await mails(tenant.email)
        assert second["leave"] is None
        assert "/mail/leave/" not in second["text"] + second["html"]
        assert first["leave"] in first["text"]
        assert first["html"].count(first["leave"]) == 1
        assert "/app/stays/1" in first["text"]
        assert "&lt;b&gt;first" in first["html"]
        path = first["leave"].removeprefix("http://127.0.0.1:8000")
        assert (await anonymous.get(path)).status == 200
        assert (await tenant.get("/v1/notice-preferences")).json["items"] == []
        for _ in range(2):
            assert (await anonymous.call("POST", path)).status == 200
        (preference,) = (await tenant.get("/v1/notice-preferences")).json["items"]
        assert (preference["kind"], preference["mail"]) == ("message", False)
        await told(stage, tenant, subject="third")
        assert len(await mails(tenant.email)) == 2

    @pytest.mark.parametrize("kind", ["verification", "reservation", "visit", "weather"])
    async def test_not_what_is_essential(self, tenant: Person, kind: str) -> None:
        answer = await tenant.post("/v1/notice-preferences", {"kind": kind, "mail": False})
        assert (answer.status, answer.pointers) == (422, ["/kind"])

    async def test_own_and_nobody_else_s(self, tenant: Person, other_tenant: Person, anonymous: Person) -> None:
        mine = await tenant.made("/v1/notice-preferences", {"kind": "message", "mail": False})
        path = f"/v1/notice-preferences/{mine['id']}"
        assert (await other_tenant.patch(path, {"mail": True})).status == 404
        assert (await other_tenant.get("/v1/notice-preferences")).json["items"] == []
        assert (await anonymous.post("/v1/notice-preferences", {"kind": "message", "mail": False})).status == 401
        assert (await tenant.patch(path, {"mail": True})).json["mail"] is True
        assert (await tenant.delete(path)).status == 204

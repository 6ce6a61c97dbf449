"""Calendars out and in: busy ranges for other programs, and nights that calendars elsewhere take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from freehold import system
from freehold.jobs import Jobs
from freehold.testing import Clock, Stage
from freehold.traffic import Fetcher

from ..blocks.models import Block
from ..calendars.jobs import sync_calendar, sync_due_calendars
from .conftest import person
from .world import Json, Person, day, listed, reserved, stay

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(landlord: Person, reviewer: Person) -> str:
    found: str = (await listed(landlord, reviewer))["id"]
    return found


def ical(**events: tuple[int, int]) -> str:
    """A calendar elsewhere, each event with its first day and the first after it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//elsewhere//EN"]
    for uid, (start, end) in events.items():
        lines += ["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:A guest's name", "DTSTAMP:20260101T000000Z"]
        lines += [f"DTSTART;VALUE=DATE:{day(start):%Y%m%d}", f"DTEND;VALUE=DATE:{day(end):%Y%m%d}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


async def busy(person: Person, home: str) -> list[tuple[str, str]]:
    found = (await person.get(f"/v1/properties/{home}/availability")).json["busy"]
    return [(each["start"], each["end"]) for each in found]


def span(start: int, end: int) -> tuple[str, str]:
    return day(start).isoformat(), day(end).isoformat()


async def until(person: Person, path: str, **wanted: set[str]) -> Json:
    """What stands at the path, once the workers have brought it so far."""
    ((name, values),) = wanted.items()
    for _ in range(800):
        found: Json = (await person.get(path)).json
        if found[name] in values:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{name} is still {found[name]!r}: {found}")


class TestOut:
    async def test_busy_ranges_and_nothing_of_whose(
        self, home: str, tenant: Person, other_tenant: Person, landlord: Person, anonymous: Person
    ) -> None:
        await reserved(tenant, home, 10, 13)
        await reserved(other_tenant, home, 13, 15)
        block = {"start": day(20).isoformat(), "end": day(22).isoformat(), "note": "Painting"}
        await landlord.made(f"/v1/properties/{home}/blocks", block)
        answer = await anonymous.get(f"/v1/properties/{home}/calendar.ics")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert answer.text.count("BEGIN:VEVENT") == 2, "stays that touch are one range"
        assert f"DTSTART;VALUE=DATE:{day(10):%Y%m%d}" in answer.text
        assert f"DTEND;VALUE=DATE:{day(15):%Y%m%d}" in answer.text
        assert not any(told in answer.text for told in ("Painting", tenant.id, other_tenant.id))

    async def test_the_same_until_something_is_booked(self, home: str, tenant: Person, anonymous: Person) -> None:
        path = f"/v1/properties/{home}/calendar.ics"
        held = await reserved(tenant, home, 10, 13)
        first = await anonymous.get(path)
        assert (await anonymous.get(path, If_None_Match=first.headers["etag"])).status == 304
        await reserved(tenant, home, 20, 21)
        second = await anonymous.get(path, If_None_Match=first.headers["etag"])
        assert second.status == 200
        uids = {line for line in first.text.splitlines() if line.startswith("UID:")}
        assert uids < {line for line in second.text.splitlines() if line.startswith("UID:")}
        assert held["id"] not in second.text


class TestFeed:
    async def test_a_secret_address_shows_what_is_booked_here_until_it_is_rotated(
        self, stage: Stage, home: str, tenant: Person, landlord: Person, other_landlord: Person, anonymous: Person
    ) -> None:
        path = f"/v1/properties/{home}/calendar-feed"
        assert (await landlord.get(path)).json == {"path": None, "since": None}
        for other, status in ((other_landlord, 403), (tenant, 403), (anonymous, 401)):
            assert (await other.put(path)).status == status
            assert (await other.get(path)).status == status
        first = (await landlord.put(path)).json["path"]
        assert (await landlord.get(path)).json["path"] == first
        assert len(first.removeprefix("/v1/calendar-feeds/")) >= 43
        await reserved(tenant, home, 10, 13)
        calendar = await landlord.made(f"/v1/properties/{home}/calendars", {"file": ical(a=(20, 22))})
        async with stage.database.writing(system("nights of a calendar elsewhere")) as unit:
            nights = {"kind": "imported", "property_id": UUID(home), "start": day(20), "end": day(22)}
            unit.session.add(Block(calendar_id=UUID(calendar["id"]), uid="a", **nights))
        read = await anonymous.get(first)
        assert (read.status, read.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        assert read.text.count("BEGIN:VEVENT") == 1, "what was imported is not given back to those it came from"
        assert f"DTSTART;VALUE=DATE:{day(10):%Y%m%d}" in read.text
        assert tenant.id not in read.text
        assert (await anonymous.get(first, If_None_Match=read.headers["etag"])).status == 304
        assert (await landlord.delete(f"/v1/properties/{home}/publication")).status == 204
        assert (await anonymous.get(f"/v1/properties/{home}/calendar.ics")).status == 404
        assert (await anonymous.get(first)).status == 200, "other sites go on reading it"
        second = (await landlord.put(path)).json["path"]
        assert second != first
        assert [(await anonymous.get(each)).status for each in (first, second)] == [404, 200]
        assert (await landlord.delete(path)).status == 204
        assert (await anonymous.get(second)).status == 404
        assert (await anonymous.get("/v1/calendar-feeds/guess.ics")).status == 404

    async def test_blocks_and_calendars_are_in_the_export_and_go_with_the_account(
        self, home: str, landlord: Person, other_landlord: Person, anonymous: Person
    ) -> None:
        feed = (await landlord.put(f"/v1/properties/{home}/calendar-feed")).json["path"]
        kept = {"start": day(20).isoformat(), "end": day(22).isoformat(), "note": "Painting"}
        block = await landlord.made(f"/v1/properties/{home}/blocks", kept)
        calendar = await landlord.made(f"/v1/properties/{home}/calendars", {"name": "Mine", "file": ical(a=(1, 2))})
        export = (await landlord.get("/v1/users/me/export")).json
        assert [(each["id"], each["note"]) for each in export["blocks"]] == [(block["id"], "Painting")]
        assert [(each["id"], each["name"]) for each in export["calendars"]] == [(calendar["id"], "Mine")]
        assert "Painting" not in (await other_landlord.get("/v1/users/me/export")).text
        assert (await landlord.delete("/v1/users/me")).status == 204
        assert (await anonymous.get(feed)).status == 404


@asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, list[dict[str, str]], dict[str, Any]]]:
    """A site that gives out a calendar: its address, what it was asked, and what it says."""
    asked: list[dict[str, str]] = []
    says: dict[str, Any] = {"status": 200, "text": "", "etag": '"1"'}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        asked.append(dict(line.lower().split(": ", 1) for line in head[1:] if line))
        is_known = says["status"] == 200 and asked[-1].get("if-none-match") == says["etag"]
        body = b"" if is_known else says["text"].encode()
        lines = [f"HTTP/1.1 {304 if is_known else says['status']} So", f"ETag: {says['etag']}", "Connection: close"]
        writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", asked, says
    finally:
        server.close()
        await server.wait_closed()


class TestByAddress:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"url": "http://169.254.169.254/latest.ics"}, "/url"),
            ({"url": "http://0x7f.1/a.ics"}, "/url"),
            ({"url": "file:///etc/passwd"}, "/url"),
            ({"url": "https://user:pw@a.example/a.ics"}, "/url"),
            ({}, ""),
            ({"url": "https://a.example/a.ics", "file": "BEGIN:VCALENDAR"}, ""),
        ],
    )
    async def test_W01_an_address_that_leads_inside_is_refused(
        self, home: str, landlord: Person, body: Json, pointer: str
    ) -> None:
        answer = await landlord.post(f"/v1/properties/{home}/calendars", body)
        assert (answer.status, answer.pointers) == (422, [pointer]), answer.text

    async def test_W01_a_name_that_leads_inside_is_refused_when_it_is_set(
        self, home: str, landlord: Person, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def resolve(host: str, port: int) -> list[str]:
            return ["10.0.0.7"]

        monkeypatch.setitem(stage.database.parts, Fetcher, Fetcher(resolve=resolve))
        answer = await landlord.post(f"/v1/properties/{home}/calendars", {"url": "https://inside.example/a.ics"})
        assert (answer.status, answer.pointers) == (422, ["/url"]), answer.text

    @pytest.mark.slow
    async def test_it_is_asked_again_and_again_and_a_failure_is_shown_and_told(
        self, real_stage: Stage, clock: Clock
    ) -> None:
        landlord = await person(real_stage, "landlord", "landlord")
        home = (await listed(landlord, await person(real_stage, None, "reviewer")))["id"]
        await real_stage.app.jobs.stop()  # what is owed is run here
        judged = real_stage.app.jobs.principals
        jobs = Jobs(real_stage.database, jobs=[sync_due_calendars, sync_calendar], principals=judged)
        async with elsewhere() as (host, asked, says):
            real_stage.database.parts[Fetcher] = Fetcher(allowed=[host])
            says["text"] = ical(a=(10, 12))
            made = await landlord.made(f"/v1/properties/{home}/calendars", {"url": f"http://{host}/secret.ics"})
            path = f"/v1/calendars/{made['id']}"

            async def later(minutes: int) -> Json:
                clock.advance(minutes=minutes)
                await jobs.run_pending()
                return (await landlord.get(path)).json

            found = await later(0)
            assert (found["status"], found["events"], found["failures"]) == ("synced", 1, 0)
            assert await busy(landlord, home) == [span(10, 12)]
            assert (await later(20))["synced_at"] == found["synced_at"], "its time has not come"
            assert len(asked) == 1
            again = await later(11)
            assert again["synced_at"] > found["synced_at"]
            assert asked[1]["if-none-match"] == '"1"', "it was asked whether anything has changed"
            assert again["events"] == 1
            says |= {"text": ical(b=(20, 21)), "etag": '"2"'}
            await later(31)
            assert await busy(landlord, home) == [span(20, 21)]

            says |= {"status": 503, "text": "away"}
            failed = await later(31)
            assert (failed["status"], failed["failures"], failed["events"]) == ("failed", 1, 1)
            assert failed["failure"] == "The address answers with status 503."
            assert await busy(landlord, home) == [span(20, 21)], "what it took stays taken"
            assert (await later(31))["failures"] == 1, "the longer it fails, the longer it is waited"
            assert (await later(30))["failures"] == 2
            assert (await landlord.get("/v1/notices?kind=calendar")).json["items"] == []
            assert (await later(121))["failures"] == 3
            (told,) = (await landlord.get("/v1/notices?kind=calendar")).json["items"]
            assert "status 503" in told["text"]
            assert told["link"] == path
            says |= {"status": 200, "text": ical(b=(20, 21)), "etag": '"3"'}
            assert ((await later(241))["status"], (await later(0))["failure"]) == ("synced", None)

            says["text"] = "x" * 600_000
            says["etag"] = '"4"'
            assert "longer than" in (await later(31))["failure"]
            other = await landlord.made(f"/v1/properties/{home}/calendars", {"url": f"http://{host}/other.ics"})
            await later(0)
            items = (await landlord.get("/v1/notices")).json["items"]
            assert next(item["link"] for item in items if item["kind"] == "calendar") == f"/v1/calendars/{other['id']}"


class TestIn:
    @pytest.fixture
    async def world(self, real_stage: Stage) -> tuple[Stage, Person, Person, str]:
        """A stage, a landlord, a tenant, and the landlord's listed property."""
        landlord = await person(real_stage, "landlord", "landlord")
        reviewer = await person(real_stage, None, "reviewer")
        tenant = await person(real_stage, "tenant", "tenant")
        return real_stage, landlord, tenant, (await listed(landlord, reviewer))["id"]

    async def added(self, world: tuple[Stage, Person, Person, str], text: str) -> Json:
        _, landlord, _, home = world
        made = await landlord.made(f"/v1/properties/{home}/calendars", {"name": "Elsewhere", "file": text})
        return await until(landlord, f"/v1/calendars/{made['id']}", status={"synced", "failed"})

    async def test_its_events_take_nights(self, world: tuple[Stage, Person, Person, str]) -> None:
        _, landlord, tenant, home = world
        calendar = await self.added(world, ical(a=(10, 12), b=(11, 14)))
        assert (calendar["status"], calendar["events"]) == ("synced", 2)
        assert await busy(tenant, home) == [span(10, 14)], "events that overlap each other are taken as told"
        refused = await tenant.post("/v1/reservations", stay(home, 13, 15))
        assert (refused.status, refused.code) == (409, "imba.dates_taken")
        assert "guest" not in refused.text
        await reserved(tenant, home, 14, 15)
        assert (await landlord.delete(f"/v1/calendars/{calendar['id']}")).status == 204
        await reserved(tenant, home, 10, 14)

    @pytest.mark.slow
    async def test_repeated_and_at_once_it_changes_nothing(self, world: tuple[Stage, Person, Person, str]) -> None:
        _, landlord, tenant, home = world
        calendar = await self.added(world, ical(a=(10, 12), b=(20, 22)))
        path = f"/v1/calendars/{calendar['id']}/sync"
        started = await asyncio.gather(*(landlord.post(path) for _ in range(4)))
        assert {answer.status for answer in started} == {202}
        for answer in started:
            job = await until(landlord, answer.headers["location"], state={"done", "dead"})
            assert (job["state"], job["result"]["inserted"], job["result"]["unchanged"]) == ("done", 0, 2)
            assert (await tenant.get(answer.headers["location"])).status == 404
        assert await busy(tenant, home) == [span(10, 12), span(20, 22)]

    async def test_what_is_no_calendar_says_so(self, world: tuple[Stage, Person, Person, str]) -> None:
        _, _, tenant, home = world
        calendar = await self.added(world, "<html>Sign in</html>")
        assert (calendar["status"], calendar["events"]) == ("failed", 0)
        assert calendar["failure"]
        assert await busy(tenant, home) == []

    async def test_an_import_over_a_stay_leaves_the_stay(self, world: tuple[Stage, Person, Person, str]) -> None:
        _, landlord, tenant, home = world
        held = await reserved(tenant, home, 10, 13)
        await self.added(world, ical(a=(12, 14)))
        await landlord.made(f"/v1/reservations/{held['id']}/confirmation")
        assert await busy(tenant, home) == [span(10, 14)]
        await tenant.made(f"/v1/reservations/{held['id']}/cancellation")
        assert await busy(tenant, home) == [span(12, 14)]

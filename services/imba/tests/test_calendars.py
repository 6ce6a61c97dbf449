"""Calendars out and in: busy ranges for other programs, and nights that calendars elsewhere take."""

from __future__ import annotations

import asyncio

import pytest

from freehold.testing import Stage

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
    for _ in range(400):
        found: Json = (await person.get(path)).json
        if found[name] in values:
            return found
        await asyncio.sleep(0.05)
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

"""Calendars out and in, around an application of its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from examples.agenda import make_app
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.calendar import read_calendar
from freehold.fields import now

pytestmark = pytest.mark.anyio
TODAY = now().date()


def ical(*events: tuple[str, str, str]) -> bytes:
    lines = [f"BEGIN:VEVENT\nUID:{uid}\nDTSTART{start}\nDTEND{end}\nEND:VEVENT" for uid, start, end in events]
    return "\n".join(["BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x", *lines, "END:VCALENDAR"]).replace("\n", "\r\n").encode()


def day(ahead: int) -> str:
    return f"{TODAY + timedelta(ahead):%Y%m%d}"


async def test_a_calendar_comes_in_as_often_as_it_likes_and_goes_out(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/rooms.db")
    app = make_app(engine)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        path = "/rooms/attic/calendar.ics"
        a = ("a", f";VALUE=DATE:{day(10)}", f";VALUE=DATE:{day(12)}")
        b = ("b", f":{day(20)}T100000Z", f":{day(20)}T120000Z")
        for sent, changed in [
            ((a, b), {"added": 2, "changed": 0, "removed": 0}),
            ((a, b), {"added": 0, "changed": 0, "removed": 0}),
            ((a, (*b[:2], f":{day(21)}T000000Z")), {"added": 0, "changed": 1, "removed": 0}),
            ((b,), {"added": 0, "changed": 1, "removed": 1}),
        ]:
            answer = await client.put(path, content=ical(*sent))
            assert answer.json() == changed, answer.text
        got = await client.get(path)
        assert got.headers["content-type"].startswith("text/calendar")
        (event,) = read_calendar(got.content).events
        assert (event.during.start, event.during.end) == (TODAY + timedelta(20), TODAY + timedelta(21))
        assert (await client.get(path, headers={"If-None-Match": got.headers["etag"]})).status_code == 304
        assert (await client.put(path, content=b"no calendar")).status_code == 422
        assert (await client.put(path, content=b"x" * 600_000)).status_code == 413
    await engine.dispose()

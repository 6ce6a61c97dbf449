"""A list as a file: what the caller may see, of one moment, in constant memory, and back again without a change."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from tests.transfer.store import Item
from tests.web.shelf import ADA, as_

from freehold import Principal, system
from freehold.testing import House, Stage
from freehold.transfer import import_file
from freehold.web import exporting

pytestmark = pytest.mark.anyio
SYSTEM = system("an import of the tests")


async def fill(stage: Stage, count: int = 3) -> None:
    titles = ["=1+1", "Äpfel, rot", "'quoted'", "semi; colon", "@home"]
    for number in range(count):
        await stage.make(
            Item, sku=f"s{number}", title=titles[number % 5], pieces=number or None, tags=["x", {"a": 1}], cost=7,
            is_hidden=number == 2, weight=-1.5, is_sold=False,
        )  # fmt: skip


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_a_file_holds_what_the_list_shows_and_no_more(stage: Stage) -> None:
    await fill(stage)
    async with stage.client() as client:
        answer = await client.get("/v1/items/export?sort=title")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == 'attachment; filename="items.csv"'
        assert answer.headers["cache-control"] == "private, no-store"
        found = rows(answer)
        assert [row["sku"] for row in found] == ["s0", "s1"]
        assert "cost" not in found[0] and found[0]["title"] == "'=1+1" and found[0]["pieces"] == ""
        assert (found[1]["tags"], found[1]["weight"]) == ('["x",{"a":1}]', "-1.5")
        lines = await client.get("/v1/items/export?format=jsonl&sort=title")
        listed = await client.get("/v1/items?sort=title")
        assert [orjson.loads(line) for line in lines.content.splitlines()] == listed.json()["items"]
        staff = rows(await client.get("/v1/items/export?pieces__gte=1", headers=as_("staff")))
        assert sorted((row["sku"], row["cost"]) for row in staff) == [("s1", "7"), ("s2", "7")]
        searched = await client.get("/v1/items/export?q=apfel&format=jsonl")
        assert [orjson.loads(line)["sku"] for line in searched.content.splitlines()] == ["s1"]
        for query in (
            "format=xml",
            "limit=5",
            "count=true",
            "cost=7",
            "sort=cost",
            "colour=red",
            "format=csv&format=csv",
        ):
            assert (await client.get(f"/v1/items/export?{query}")).status_code == 422, query
        assert (await client.get("/v1/orders/export")).status_code in (401, 404), (
            "there is none where none was declared"
        )
        document = (await client.get("/openapi.json")).json()
        names = {each.get("name") for each in document["paths"]["/v1/items/export"]["get"]["parameters"]}
        assert names == {"format", "sku", "pieces__gte", "sort", "q"}


async def test_an_export_comes_back_without_a_change(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_PAGE", 2)
    await fill(stage, 5)
    for kind in ("csv", "jsonl"):
        async with stage.client() as client:
            answer = await client.get(f"/v1/items/export?format={kind}", headers=as_("staff"))
        file = tmp_path / f"items.{kind}"
        file.write_bytes(answer.content)
        for key in (None, ("id",)):
            report = await import_file(stage.database, "items", file, principal=SYSTEM, key=key)
            assert (report.records, report.unchanged, report.refused) == (5, 5, 0), kind


async def test_a_file_is_of_one_moment_and_leaves_no_transaction(
    either_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_PAGE", 2)
    async with either_house.stage(isolate=False) as stage:
        await fill(stage, 6)
        database, reads = stage.database, stage.app.mounted.reads[Item]
        _, query = exporting.asked(reads, [("sort", "title")], SYSTEM)
        stream = exporting.export(reads, database, SYSTEM, query, "jsonl")
        seen = [await anext(stream)]
        async with database.writing(SYSTEM) as unit:
            await unit.session.execute(text("UPDATE items SET title = 'changed', title_key = 'zzz'"))
            await unit.session.execute(text("DELETE FROM items WHERE sku = 's5'"))
        seen += [piece async for piece in stream]
        items = [orjson.loads(line) for line in b"".join(seen).splitlines()]
        assert len(items) == 6 and {item["title"] for item in items}.isdisjoint({"changed"})
        stream = exporting.export(reads, database, Principal(id=ADA), query, "jsonl")
        await anext(stream)
        await stream.aclose()
        if database.dialect_name == "postgresql":
            async with database.reading(SYSTEM) as session:
                open_ones = text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
                )
                assert await session.scalar(open_ones) == 0
        async with database.writing(SYSTEM) as unit:  # the reader that was given back sees what was written since
            await unit.session.execute(text("UPDATE items SET title = 'again'"))
        async with database.reading(SYSTEM) as session:
            assert set((await session.execute(text("SELECT title FROM items"))).scalars()) == {"again"}


async def test_V12_a_cut_connection_and_too_many_at_once(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_PAGE", 1)
    monkeypatch.setattr(exporting, "AT_ONCE", 1)
    async with sqlite_house.stage(isolate=False) as stage:
        await fill(stage, 5)
        checked_out = stage.database._readers.pool.checkedout
        before = checked_out()
        may_go_on, has_begun = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            await may_go_on.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                has_begun.set()
                await asyncio.Event().wait()  # a client that reads nothing

        scope = {
            "type": "http", "method": "GET", "path": "/v1/items/export", "raw_path": b"/v1/items/export", "root_path": "",
            "query_string": b"", "headers": [(b"host", b"testserver")], "scheme": "http", "http_version": "1.1",
            "client": ("127.0.0.1", 1), "server": ("testserver", 80), "asgi": {"version": "3.0"}, "state": {},
        }  # fmt: skip
        running = asyncio.create_task(stage.app(scope, receive, send))
        await has_begun.wait()
        async with stage.client() as client:
            refused = await client.get("/v1/items/export")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
            assert checked_out() == before + 1
            may_go_on.set()
            await running
            assert checked_out() == before
            assert (await client.get("/v1/items/export")).status_code == 200

"""History: who changed what, from what to what, told to whom the rule names, and erasable."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import selectinload

from freehold import Freehold, system
from freehold.store import AUDIT, forget_history
from freehold.store.audit_check import verify
from freehold.store.audit_sealing import seal_pending
from freehold.store.audit_values import AUDIT_VALUES
from tests.web.archive import Cabinet, Sheet, made_at, make, rename_all
from tests.web.shelf import ADA, STAFF, as_

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return make(module_database, tmp_path_factory.mktemp("var"))


async def told(client: Client, path: str, name: str = "ada", query: str = "") -> list[Any]:
    answer = await client.get(f"{path}/history{query}", headers=as_(name))
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


async def faults(app: Freehold) -> list[str]:
    # With the key of the application: its own sealer may have been there first.
    key = app.settings.secret_value.encode()
    await seal_pending(app.database, key=key)
    async with app.database.reading(system("check")) as session:
        return [fault.message for fault in await verify(session, key=key)]


async def test_what_was_changed_newest_first(client: Client, app: Freehold) -> None:
    paper = await made_at(client, remark="dry")
    await client.patch(paper, json={"title": "Will", "remark": None}, headers=as_("ada"))
    await client.delete(paper, headers=as_("staff"))
    back = await client.post(f"{paper}/restoration", headers=as_("ada"))
    assert back.status_code == 200
    found = await told(client, paper)
    assert [item["action"] for item in found] == [
        "papers.restored", "papers.deleted", "papers.updated", "papers.created",
    ]  # fmt: skip
    changes = [item["changes"] for item in found]
    assert changes[1]["deleted_at"]["from"] is None and changes[0]["deleted_at"]["to"] is None
    assert changes[0]["deleted_at"]["from"] == changes[1]["deleted_at"]["to"] is not None
    assert changes[2] == {"remark": {"from": "dry", "to": None}, "title": {"from": "Deed", "to": "Will"}}
    assert changes[3]["title"] == {"from": None, "to": "Deed"}
    assert changes[3].keys().isdisjoint({"search", "title_key", "row_version", "updated_at", "id"})
    assert await faults(app) == []


async def test_the_actor_is_told_to_itself_and_to_whom_the_rule_names(client: Client) -> None:
    paper = await made_at(client)
    await client.delete(paper, headers=as_("staff"))
    await client.post(f"{paper}/restoration", headers=as_("ada"))
    ada, staff, bob = str(ADA), str(STAFF), None
    assert [item["by"] for item in await told(client, paper, "ada")] == [ada, None, ada]
    assert [item["by"] for item in await told(client, paper, "staff")] == [ada, staff, ada]
    assert [item["by"] for item in await told(client, paper, "bob")] == [bob, bob, bob]


async def test_Z04_a_field_that_may_not_be_read_is_not_told(client: Client, app: Freehold) -> None:
    paper = await made_at(client, remark="dry", pin="1234")
    for name, sees in (("ada", True), ("staff", True), ("bob", False)):
        (first,) = await told(client, paper, name)
        assert ("remark" in first["changes"]) is sees, name
        assert "pin" not in first["changes"], "never recorded"
    async with app.database.reading(system("look")) as session:
        assert "1234" not in str((await session.execute(select(AUDIT_VALUES))).all())


async def test_Z02_whoever_may_not_read_the_row_learns_nothing(client: Client) -> None:
    paper, folder = await made_at(client, is_public=False), await made_at(client, "folders")
    assert (await client.get(f"{paper}/history")).status_code == 401
    assert (await client.get(f"{paper}/history", headers=as_("bob"))).status_code == 404
    assert (await client.get(f"{folder}/history", headers=as_("bob"))).status_code == 404
    assert (await client.get(f"{folder}/history", headers=as_("staff"))).status_code == 403
    await client.delete(paper, headers=as_("ada"))
    assert [item["action"] for item in await told(client, paper, "staff")] == ["papers.deleted", "papers.created"]
    assert (await client.get(f"{paper}/history", headers=as_("bob"))).status_code == 404


async def test_N02_pages_hold_every_record_once(client: Client) -> None:
    paper = await made_at(client)
    for number in range(5):
        await client.patch(paper, json={"title": f"Deed {number}"}, headers=as_("ada"))
    whole = [item["id"] for item in await told(client, paper)]
    seen, path = [], f"{paper}/history?limit=2"
    pages: list[Any] = []
    while path:
        page = (await client.get(path, headers=as_("ada"))).json()
        pages.append(page)
        seen += [item["id"] for item in page["items"]]
        path = f"{paper}/history?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert (seen, len(whole), len(pages)) == (whole, 6, 3)
    last = await client.get(f"{paper}/history?limit=2&cursor={pages[1]['next_cursor']}", headers=as_("ada"))
    before = last.links["prev"]["url"]
    back = (await client.get(before, headers=as_("ada"))).json()
    assert [item["id"] for item in back["items"]] == whole[2:4]
    other = await client.get(f"{paper}/history?limit=2&cursor={pages[0]['next_cursor']}", headers=as_("bob"))
    assert other.status_code == 400
    for query in ("limit=0", "limit=101", "limit=x", "colour=red", "limit=1&limit=1"):
        assert (await client.get(f"{paper}/history?{query}", headers=as_("ada"))).status_code == 422


async def test_every_row_of_a_unit_is_told_whoever_changed_it(client: Client, app: Freehold) -> None:
    folder = await made_at(client, "folders")
    paper = await made_at(client, folder_id=folder.rpartition("/")[2])
    assert (await client.post(f"{paper}/stamp", headers=as_("ada"))).status_code == 200
    named, created = await told(client, folder)
    assert (named["action"], named["by"]) == ("folders.updated", str(ADA))
    assert named["changes"] == {"name": {"from": "Box", "to": "Deed"}}
    assert created["action"] == "folders.created"
    assert (await told(client, paper))[0]["action"] == "papers.stamp"
    async with app.database.reading(system("look")) as session:
        reasons = await session.scalars(select(AUDIT.c.system_reason).where(AUDIT.c.action == "folders.updated"))
        assert reasons.all() == ["a stamp names the folder"]


async def test_a_job_s_changes_are_told_under_its_reason(client: Client, app: Freehold) -> None:
    paper = await made_at(client)
    async with app.database.writing(system("rename papers in a test")) as unit:
        await rename_all.function(unit.session, title="Renamed")
    (renamed, _) = await told(client, paper, "staff")
    assert (renamed["action"], renamed["by"]) == ("papers.updated", None)
    assert renamed["changes"] == {"title": {"from": "Deed", "to": "Renamed"}}


async def test_what_a_cascade_removes_is_told(client: Client, app: Freehold) -> None:
    folder = await made_at(client, "folders")
    paper = await made_at(client, folder_id=folder.rpartition("/")[2])
    async with app.database.writing(system("clear away")) as unit:
        await unit.session.delete(
            (await unit.session.scalars(select(Cabinet).options(selectinload(Cabinet.papers)))).one()
        )
    async with app.database.reading(system("look")) as session:
        asked = select(AUDIT.c.action).where(AUDIT.c.subject_id == paper.rpartition("/")[2]).order_by(AUDIT.c.id)
        assert (await session.scalars(asked)).all() == ["papers.created", "papers.deleted"]


async def test_one_record_tells_the_sum_of_a_unit_without_parts_that_were_undone(client: Client) -> None:
    paper = await made_at(client)
    answer = await client.post(f"{paper}/half", headers=as_("ada"))
    assert answer.status_code == 200, answer.text
    half, _ = await told(client, paper)
    assert half["changes"] == {"title": {"from": "Deed", "to": "Deed!"}}


async def test_what_was_erased_is_told_no_more_and_the_chain_holds(client: Client, app: Freehold) -> None:
    paper = await made_at(client, remark="dry")
    await client.patch(paper, json={"title": "Will"}, headers=as_("ada"))
    assert await faults(app) == []
    key = paper.rpartition("/")[2]
    async with app.database.writing(system("erase")) as unit:
        assert await forget_history(unit.session, "papers", [key], fields=["title"]) == 2
    assert [item["action"] for item in await told(client, paper)] == [
        "history.erased", "papers.updated", "papers.created",
    ]  # fmt: skip
    assert "Will" not in str(await told(client, paper))
    assert (await told(client, paper))[2]["changes"]["remark"]["to"] == "dry"
    assert await faults(app) == []
    async with app.database.writing(system("erase the rest")) as unit:
        await forget_history(unit.session, "papers", [UUID(key)])
        assert (await unit.session.execute(select(AUDIT_VALUES))).all() == []
    assert await faults(app) == []


async def test_E05_values_that_were_altered_or_taken_away_are_found(client: Client, app: Freehold) -> None:
    await made_at(client, remark="dry")
    async with app.database.writing(system("tamper")) as unit:
        (row,) = (await unit.session.execute(select(AUDIT_VALUES))).all()
        salt, _ = row.content["remark"]
        other = {**row.content, "remark": [salt, {"from": None, "to": "wet"}]}
        await unit.session.execute(update(AUDIT_VALUES).values(content=other))
    (fault,) = await faults(app)
    assert "remark" in fault and "altered" in fault
    async with app.database.writing(system("tamper")) as unit:
        await unit.session.execute(delete(AUDIT_VALUES))
    (fault,) = await faults(app)
    assert "gone" in fault


async def test_a_refused_write_leaves_no_record(client: Client, app: Freehold) -> None:
    paper = await made_at(client)
    refused = await client.post("/v1/papers", json={"title": "Copy", "slug": "deed"}, headers=as_("ada"))
    assert refused.status_code == 409
    async with app.database.reading(system("look")) as session:
        assert (await session.scalars(select(AUDIT.c.subject_id))).all() == [paper.rpartition("/")[2]]
        assert len((await session.scalars(select(Sheet))).all()) == 1

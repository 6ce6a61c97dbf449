"""Soft deletion: a deleted row is out of every caller's sight, and comes back for whom the rule names."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData, func, select
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Resource, anyone, system
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.clock import now
from freehold.web.upkeep import purge_deleted
from tests.web.archive import Sheet, made, make
from tests.web.shelf import as_

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return make(module_database, tmp_path_factory.mktemp("var"))


async def deleted(client: Client, **values: Any) -> Any:
    paper = await made(client, **values)
    gone = await client.delete(f"/v1/papers/{paper['id']}", headers=as_("ada"))
    assert (gone.status_code, gone.content) == (204, b"")
    return paper


async def test_Z03_a_deleted_row_is_in_no_answer(client: Client, app: Freehold) -> None:
    folder = (await made(client, "folders"))["id"]
    await made(client, title="Deed of the mill", slug="mill", folder_id=folder)
    paper = await deleted(client, folder_id=folder)
    for name in ("ada", "bob", "staff"):
        assert (await client.get(f"/v1/papers/{paper['id']}", headers=as_(name))).status_code == 404
        page = (await client.get("/v1/papers?q=deed&count=true&facets=kind", headers=as_(name))).json()
        assert [item["slug"] for item in page["items"]] == ["mill"]
        assert (page["total"], page["facets"]) == (
            1,
            {"kind": {"values": [{"value": "note", "count": 1}], "others": 0}},
        )
    nested = (await client.get(f"/v1/folders/{folder}/papers", headers=as_("ada"))).json()["items"]
    expanded = (await client.get(f"/v1/folders/{folder}?expand=papers", headers=as_("ada"))).json()["papers"]
    assert [[item["slug"] for item in found] for found in (nested, expanded)] == [["mill"], ["mill"]]
    async with app.database.reading(system("the row is still there")) as session:
        assert await session.scalar(select(func.count()).select_from(Sheet)) == 2


async def test_no_write_reaches_a_deleted_row(client: Client) -> None:
    path = f"/v1/papers/{(await deleted(client))['id']}"
    assert (await client.delete(path, headers=as_("ada"))).status_code == 404
    assert (await client.patch(path, json={"title": "x"}, headers=as_("ada"))).status_code == 404
    assert (await client.post(f"{path}/stamp", headers=as_("ada"))).status_code == 404


async def test_Z04_a_client_cannot_delete_by_writing_the_column(client: Client) -> None:
    paper = await made(client)
    refused = await client.patch(
        f"/v1/papers/{paper['id']}", json={"deleted_at": "2026-01-01T00:00:00Z"}, headers=as_("ada")
    )
    assert refused.status_code == 422


async def test_a_statement_that_forgets_the_rule_hides_it_too(client: Client, app: Freehold) -> None:
    await deleted(client)
    async with app.database.reading(await app.state.freehold.authenticator.authenticate(["Bearer ada"])) as session:
        assert (await session.scalars(select(Sheet))).all() == []
        assert (await session.execute(select(Sheet.__table__))).all() == []


async def test_restoration_brings_it_back_for_whom_the_rule_names(client: Client) -> None:
    path = f"/v1/papers/{(await deleted(client))['id']}"
    assert (await client.post(f"{path}/restoration")).status_code == 401
    assert (await client.post(f"{path}/restoration", headers=as_("bob"))).status_code == 404
    back = await client.post(f"{path}/restoration", headers=as_("ada"))
    assert (back.status_code, back.json()["deleted_at"]) == (200, None)
    seen = await client.get(path, headers=as_("bob"))
    assert (seen.status_code, seen.json()["title"]) == (200, "Deed")
    again = await client.post(f"{path}/restoration", headers=as_("ada"))
    assert (again.status_code, again.json()["code"]) == (409, "not_deleted")
    assert (await client.post(f"{path}/restoration", headers=as_("bob"))).status_code == 403


async def test_the_function_of_a_restoration_may_refuse(client: Client) -> None:
    path = f"/v1/papers/{(await deleted(client, kind='final'))['id']}"
    refused = await client.post(f"{path}/restoration", headers=as_("staff"))
    assert (refused.status_code, refused.json()["code"]) == (409, "paper.final")
    assert (await client.get(path, headers=as_("ada"))).status_code == 404


async def test_deleted_rows_are_listed_for_whom_the_rule_names(client: Client) -> None:
    await made(client)
    await deleted(client, slug="gone")
    assert (await client.get("/v1/papers?deleted=true")).status_code == 401
    for name, slugs in (("ada", ["gone"]), ("staff", ["gone"]), ("bob", [])):
        page = (await client.get("/v1/papers?deleted=true&count=true", headers=as_(name))).json()
        assert ([item["slug"] for item in page["items"]], page["total"]) == (slugs, len(slugs)), name
    plain = (await client.get("/v1/papers?deleted=false", headers=as_("ada"))).json()
    assert [item["slug"] for item in plain["items"]] == ["deed"]
    assert (await client.get("/v1/folders?deleted=true", headers=as_("ada"))).status_code == 422


async def test_a_cursor_of_deleted_rows_is_none_of_the_others(client: Client) -> None:
    for slug in ("a", "b"):
        await deleted(client, slug=slug)
    page = (await client.get("/v1/papers?deleted=true&limit=1", headers=as_("ada"))).json()
    moved = await client.get(f"/v1/papers?limit=1&cursor={page['next_cursor']}", headers=as_("ada"))
    assert moved.status_code == 400
    path = f"/v1/papers?deleted=true&limit=1&cursor={page['next_cursor']}"
    assert len((await client.get(path, headers=as_("ada"))).json()["items"]) == 1


async def test_a_rule_may_hold_while_the_row_is_there(client: Client) -> None:
    path = f"/v1/papers/{(await deleted(client))['id']}"
    await made(client)
    taken = await client.post(f"{path}/restoration", headers=as_("ada"))
    assert taken.status_code == 409, "its slug was taken meanwhile"
    assert (await client.get(path, headers=as_("ada"))).status_code == 404


async def test_what_is_deleted_for_long_is_removed_for_good(client: Client, app: Freehold) -> None:
    old, fresh = await deleted(client, slug="old"), await deleted(client, slug="fresh")
    async with app.database.writing(system("time passes")) as unit:
        row = await unit.session.get_one(Sheet, UUID(old["id"]))
        row.deleted_at = now() - timedelta(days=31)
    async with app.database.writing(system("purge")) as unit:
        await purge_deleted.function(unit.session)
    async with app.database.reading(system("look")) as session:
        assert [str(key) for key in await session.scalars(select(Sheet.id))] == [fresh["id"]]


class Local(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Stone(Local):
    name: Mapped[str]
    worn: Mapped[datetime]


@pytest.mark.parametrize("column", ["gone_at", "name", "worn"])
def test_a_column_that_cannot_say_when_is_refused_at_the_start(column: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"datetime \| None"):
        Freehold(Resource(Stone, access=Access(read=anyone), soft_delete=column))


def test_a_restoration_needs_soft_deletion() -> None:
    with pytest.raises(ConfigurationError, match="soft_delete"):
        Resource(Stone).restoration(access=anyone)
    with pytest.raises(ConfigurationError, match="soft_delete"):
        Resource(Stone, purge_after=timedelta(days=1))

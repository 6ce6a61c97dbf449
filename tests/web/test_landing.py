"""`/` of a service that has nothing there, and what `Accept` decides (V04)."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from fastapi import APIRouter

from freehold import Freehold
from freehold.settings import Settings
from tests.web.shelf import ByName, as_, make, resources, served

pytestmark = pytest.mark.anyio


def production(folder: Path) -> Freehold:
    settings = Settings(
        env="production",
        var_dir=folder,
        database_url=f"sqlite+aiosqlite:///{folder}/p.db",
        secret="0123456789abcdef" * 3,
        public_url="https://shelves.example",
        hosts="localhost",
    )
    return Freehold(*resources(), title="<Shelves>", settings=settings, authenticator=ByName())


async def test_V04_a_browser_gets_a_page_and_a_client_json(tmp_path: Path) -> None:
    async with served(make(f"sqlite+aiosqlite:///{tmp_path}/1.db", tmp_path)) as client:
        told = await client.get("/")
        assert told.headers["content-type"] == "application/json"
        assert told.json()["title"] == "Shelves"
        assert told.json()["collections"] == ["/v1/shelves", "/v1/things"]
        page = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert all("Accept" in answer.headers["vary"] for answer in (page, told))
        assert "style-src 'self'" in page.headers["content-security-policy"]
        linked = re.findall(r'href="([^"]+)"', page.text)
        assert set(linked) > {*told.json()["links"].values(), *told.json()["collections"]}
        for path in linked:
            assert (await client.get(path, headers=as_("ada"))).status_code == 200, path

        # Nowhere else is Accept a reason to refuse, or to answer in another form.
        for accept in ("text/csv", "application/xml;q=1, */*;q=0", "nonsense"):
            answer = await client.get("/v1/shelves", headers=as_("ada", Accept=accept))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
            refused = await client.get("/v1/none", headers={"Accept": accept})
            assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


async def test_E06_in_production_it_tells_of_no_documents(tmp_path: Path) -> None:
    app = production(tmp_path)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        told = (await client.get("/")).json()
        page = (await client.get("/", headers={"Accept": "text/html"})).text
    assert told == {
        "title": "<Shelves>",
        "links": {"ready": "/health/ready", "live": "/health/live", "problems": "/problems"},
        "collections": [],
    }
    assert "&lt;Shelves&gt;" in page and '/docs"' not in page and "shelves" not in page


async def test_a_service_that_has_a_page_there_keeps_it(tmp_path: Path) -> None:
    own = APIRouter(include_in_schema=False)

    @own.get("/")
    async def mine() -> str:
        return "mine"

    settings = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/o.db", secret="x" * 40
    )
    app = Freehold(*resources(), settings=settings, authenticator=ByName(), routers=[own])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:
        assert (await client.get("/")).json() == "mine"

"""Soft deletion and history around endpoints that know nothing of either."""

from __future__ import annotations

import httpx2
import pytest
from examples.history import make_app
from sqlalchemy.ext.asyncio import create_async_engine

pytestmark = pytest.mark.anyio
ADA, BOB = {"X-Agent": "ada"}, {"X-Agent": "bob"}


async def test_a_plain_application_s_own_deletion_can_be_taken_back_and_its_changes_are_told(database_url: str) -> None:
    engine = create_async_engine(database_url)
    app = make_app(engine)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=ADA) as client,
    ):
        made = await client.post("/tickets", json={"title": "Printer"})
        assert made.status_code == 201, made.text
        own, beside = f"/tickets/{made.json()['id']}", f"/v1/tickets/{made.json()['id']}"
        assert (await client.put(own, json={"title": "Plotter"})).status_code == 200
        assert (await client.get("/tickets", headers=BOB)).json() == []
        assert (await client.delete(own, headers=BOB)).status_code == 404
        gone = await client.delete(own)
        assert gone.status_code == 204, gone.text
        assert (await client.get("/tickets")).json() == []
        assert [(await client.put(own, json={"title": "x"})).status_code, (await client.get(beside)).status_code] == [
            404,
            404,
        ]
        deleted = (await client.get("/v1/tickets?deleted=true")).json()["items"]
        assert [each["title"] for each in deleted] == ["Plotter"]
        assert (await client.get("/v1/tickets?deleted=true", headers=BOB)).json()["items"] == []
        assert (await client.post(f"{beside}/restoration", headers=BOB)).status_code == 404
        back = await client.post(f"{beside}/restoration")
        assert (back.status_code, back.json()["title"]) == (200, "Plotter"), back.text
        assert (await client.get("/tickets")).json() == ["Plotter"]
        told = (await client.get(f"{beside}/history")).json()["items"]
        assert [each["action"].removeprefix("tickets.") for each in told] == [
            "restored",
            "deleted",
            "updated",
            "created",
        ]
        assert told[2]["changes"]["title"] == {"from": "Printer", "to": "Plotter"}
        assert told[1]["changes"]["deleted_at"]["from"] is None
        assert (await client.get(f"{beside}/history", headers=BOB)).status_code == 404
    await engine.dispose()

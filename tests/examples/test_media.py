"""Files in a plain FastAPI application: the whole way of a photo, by its own process."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from examples.media import make_app
from sqlalchemy.ext.asyncio import create_async_engine
from tests.media import pictures

pytestmark = pytest.mark.anyio
ADA, BOB = {"X-Rider": "ada"}, {"X-Rider": "bob"}


async def ready(client: httpx2.AsyncClient, path: str) -> Any:
    """What has become of a photo, once the job has run."""
    until = time.monotonic() + 20
    while (found := (await client.get(path)).json())["status"] == "processing":
        assert time.monotonic() < until, found
        await asyncio.sleep(0.05)
    return found


@pytest.mark.slow
async def test_photos_and_papers_of_a_plain_application(database_url: str, tmp_path: Path) -> None:
    engine = create_async_engine(database_url)
    app = make_app(engine, tmp_path / "files")
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        bicycle = str((await client.post("/bicycles", json={"frame": "steel"}, headers=ADA)).json()["id"])

        async def send(rider: dict[str, str], content: bytes, kind: str, **fields: str) -> httpx2.Response:
            return await client.post("/v1/media", files={"file": ("a", content, kind)}, data=fields, headers=rider)

        photo = {"purpose": "photo", "bicycle_id": bicycle, "alt_text": "From the left"}
        refused = [await send(rider, pictures.photo(), "image/jpeg", **photo) for rider in ({}, BOB)]
        assert [each.status_code for each in refused] == [401, 403]
        sent = await send(ADA, pictures.with_exif(), "image/jpeg", **photo)
        assert (sent.status_code, sent.json()["status"]) == (201, "processing"), sent.text
        shown = await ready(client, sent.headers["location"])
        assert (shown["status"], shown["bicycle_id"]) == ("ready", int(bicycle))
        thumb = await client.get(shown["variants"]["thumb"], headers={"accept": "image/webp"})
        assert thumb.headers["content-type"] == "image/webp" and b"Secretcam" not in thumb.content
        paper = (await send(ADA, pictures.pdf(), "application/pdf", purpose="paper")).json()
        assert [(await client.get(paper["url"], headers=rider)).status_code for rider in (BOB, ADA)] == [404, 200]
        assert (await send(ADA, pictures.html(), "text/html", purpose="photo")).json()["code"] == "media.type_refused"
        listed = (await client.get(f"/v1/media?bicycle_id={bicycle}")).json()["items"]
        assert [each["alt_text"] for each in listed] == ["From the left"]
        options = await client.options("/v1/uploads")
        assert options.headers["tus-version"] == "1.0.0"
        assert (await client.delete(sent.headers["location"], headers=ADA)).status_code == 204
        assert (await client.get(shown["url"])).status_code == 404
    await engine.dispose()

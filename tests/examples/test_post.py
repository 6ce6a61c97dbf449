"""Mail in a plain FastAPI application: sent by its own process, once, and only for what was committed."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest
from examples.post.app import Base, make_app
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.mail import FileMail

pytestmark = pytest.mark.anyio


class Box(FileMail):
    """Tells when a letter lies in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.came = asyncio.Event()

    async def deliver(self, message: EmailMessage) -> None:
        await super().deliver(message)
        self.came.set()


async def test_I02_an_order_and_its_letter_commit_together_and_a_retry_sends_no_second(
    database_url: str, tmp_path: Path
) -> None:
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    files = Box(tmp_path / "mail")
    app = make_app(engine, files)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        wish, key = {"email": "ada@example.com", "item": "<b>tea</b>"}, {"Idempotency-Key": "one"}
        refused = await client.post("/orders", json=wish | {"email": "ada@example.com\r\nBcc: x@example.com"})
        made = [await client.post("/orders", json=wish, headers=key) for _ in range(2)]
        assert [refused.status_code, *(answer.status_code for answer in made)] == [422, 201, 201]
        await asyncio.wait_for(files.came.wait(), 10)
    await engine.dispose()
    (name,) = files.names()
    letter = files.read(name)
    assert (letter.to, letter.subject) == ("ada@example.com", f"Your order {made[0].json()['id']}")
    assert letter.text == "We have your order: <b>tea</b>.\n"
    assert "<strong>&lt;b&gt;tea&lt;/b&gt;</strong>" in (letter.html or "")

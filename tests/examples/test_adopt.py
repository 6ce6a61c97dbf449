"""What `install` changes for an application that was there first: the same requests, before and after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import pytest
from examples.adopt import after, before
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from freehold.store.unit import Unit

pytestmark = pytest.mark.anyio
Open = Callable[[FastAPI], Any]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(database_url)
    async with made.begin() as connection:
        await connection.run_sync(before.Base.metadata.create_all)
    yield made
    await made.dispose()


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx2.ASGITransport(app=app)
        yield await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://localhost"))


ADA, BOB = {"X-User": "ada"}, {"X-User": "bob"}


async def test_before_everybody_sees_every_note(engine: AsyncEngine) -> None:
    async with served(before.make_app(engine)) as client:
        await client.post("/notes", json={"text": "mine"}, headers=ADA)
        seen = await client.get("/notes", headers=BOB)
    assert [note["owner"] for note in seen.json()] == ["ada"]


async def test_after_each_sees_their_own_though_the_handler_still_forgets(engine: AsyncEngine) -> None:
    async with served(after.make_app(engine)) as client:
        made = await client.post("/notes", json={"text": "mine"}, headers=ADA)
        assert made.status_code == 201
        assert (await client.get("/notes", headers=BOB)).json() == []
        assert [note["owner"] for note in (await client.get("/notes", headers=ADA)).json()] == ["ada"]
        gone = await client.delete(f"/notes/{made.json()['id']}", headers=BOB)
        assert gone.status_code == 404
        assert len((await client.get("/notes", headers=ADA)).json()) == 1


async def test_after_the_commit_comes_before_the_answer(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the messages that leave the application, against the moment of the commit."""
    events: list[str] = []
    commit = Unit.commit

    async def noted(self: Unit) -> None:
        await commit(self)
        events.append("commit")

    monkeypatch.setattr(Unit, "commit", noted)
    app = after.make_app(engine)

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def spy(message: Any) -> None:
            events.append(message["type"])
            await send(message)

        await app(scope, receive, spy)

    async with (
        served(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=watched), base_url="http://localhost") as client,
    ):
        events.clear()  # the start made the ledger's tables
        await client.post("/notes", json={"text": "kept"}, headers=ADA)
    assert events[:2] == ["commit", "http.response.start"]


async def test_after_a_retry_with_the_same_key_has_one_effect(engine: AsyncEngine) -> None:
    async with served(after.make_app(engine)) as client:
        headers = {**ADA, "Idempotency-Key": "note-1"}
        first = await client.post("/notes", json={"text": "once"}, headers=headers)
        again = await client.post("/notes", json={"text": "once"}, headers=headers)
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert len((await client.get("/notes", headers=ADA)).json()) == 1


async def test_after_twenty_at_once_with_one_key_have_one_effect(engine: AsyncEngine) -> None:
    async with served(after.make_app(engine)) as client:
        headers = {**ADA, "Idempotency-Key": "note-2"}
        answers = await asyncio.gather(
            *(client.post("/notes", json={"text": "once"}, headers=headers) for _ in range(20))
        )
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len((await client.get("/notes", headers=ADA)).json()) == 1


async def test_after_a_refusal_is_a_problem_and_leaves_nothing_behind(engine: AsyncEngine) -> None:
    async with served(after.make_app(engine)) as client:
        refused = await client.post("/notes", json={"text": "forbidden"}, headers=ADA)
        assert refused.status_code == 409
        assert refused.headers["content-type"].startswith("application/problem+json")
        assert (await client.get("/notes", headers=ADA)).json() == []

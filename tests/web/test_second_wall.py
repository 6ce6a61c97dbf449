"""A service that logs in as the role `app` answers as it does without row-level security, also with its own rules taken out (Z06)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from freehold import Freehold
from freehold.store.ledger import LEDGER
from freehold.testing import opened
from tests.store.roles import Walled, walled
from tests.web import archive
from tests.web.shelf import as_

pytestmark = pytest.mark.anyio
Answer = tuple[str, int, object]


@pytest.fixture
async def roles(postgres_url: str) -> AsyncIterator[Walled]:
    async with walled(postgres_url) as found:
        yield found


async def behind_wall(roles: Walled, folder: Path) -> Freehold:
    """The archive on tables of another log-in. No reader: every statement meets the policies."""
    app = archive.make(roles.app, folder)
    await roles.build([archive.Base.metadata, LEDGER], app.database.registry)
    return app


class Walk:
    """Three people at work in an archive, and what each was answered."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.answers: list[Answer] = []

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self._client.request(method, f"/v1/{path}", json=body, headers=as_(who))
        found = answer.json() if answer.content else None
        items = found.get("items") if isinstance(found, dict) else None
        told = sorted(item.get("title", "") for item in items) if items is not None else (found or {}).get("title")
        self.answers.append((f"{who} {method} {path.partition('/')[0]}", answer.status_code, told))
        return found

    async def walk(self) -> list[Answer]:
        folder = (await self.ask("ada", "POST", "folders", {"name": "Box"}))["id"]
        public = (await self.ask("ada", "POST", "papers", {"title": "Deed", "slug": "a", "folder_id": folder}))["id"]
        private = {"title": "Will", "slug": "b", "is_public": False, "folder_id": folder}
        private = (await self.ask("ada", "POST", "papers", private))["id"]
        for who in ("bob", "staff", "ada"):
            await self._look(who, folder, public, private)
        for who in ("bob", "staff"):
            await self._try(who, folder, public, private)
        await self.ask("ada", "POST", f"papers/{public}/stamp")
        await self.ask("ada", "POST", f"papers/{public}/half")
        await self.ask("ada", "PATCH", f"papers/{public}", {"is_public": False})  # out of Bob's sight
        await self.ask("ada", "DELETE", f"papers/{public}")  # out of everybody's
        for who in ("bob", "staff", "ada"):
            await self._look(who, folder, public, private)
        await self.ask("bob", "POST", f"papers/{public}/restoration")
        await self.ask("ada", "GET", "papers?deleted=true")
        await self.ask("ada", "GET", f"papers/{public}/history")
        await self.ask("ada", "POST", f"papers/{public}/restoration")
        await self._look("ada", folder, public, private)
        return self.answers

    async def _look(self, who: str, folder: str, public: str, private: str) -> None:
        for path in ("papers", "papers?q=will&count=true&facets=kind", f"folders/{folder}", f"folders/{folder}/papers"):
            await self.ask(who, "GET", path)
        for key in (public, private):
            await self.ask(who, "GET", f"papers/{key}")

    async def _try(self, who: str, folder: str, public: str, private: str) -> None:
        for key in (public, private):
            await self.ask(who, "PATCH", f"papers/{key}", {"title": "Mine"})
            await self.ask(who, "POST", f"papers/{key}/stamp")
        await self.ask(who, "PATCH", f"folders/{folder}", {"name": "Mine"})
        if who == "bob":
            await self.ask(who, "DELETE", f"papers/{public}")


async def walk(app: Freehold) -> list[Answer]:
    async with opened(app) as house, house.stage(isolate=True) as stage, stage.client() as client:
        return await Walk(client).walk()


@pytest.mark.long
async def test_Z06_the_answers_are_those_of_a_service_without_the_wall(
    roles: Walled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = archive.make(f"sqlite+aiosqlite:///{tmp_path}/archive.db", tmp_path)
    expected = await walk(embedded)
    assert {status for _, status, _ in expected} == {200, 201, 204, 403, 404}
    app = await behind_wall(roles, tmp_path)
    assert await walk(app) == expected
    assert app.database.is_behind_wall
    monkeypatch.setattr("freehold.store.compiler.RuleCompiler._fh_condition", lambda *_: True)
    without_rules = archive.make(roles.app, tmp_path)
    assert await walk(without_rules) == expected

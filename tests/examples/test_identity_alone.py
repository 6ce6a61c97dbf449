"""Identity in a plain FastAPI application: the program of the example, without a resource, in a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData

import freehold
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase

pytestmark = pytest.mark.anyio
EXAMPLE = Path(__file__).parents[2] / "examples" / "identity_alone.py"
PASSWORD = "lantern quarry velvet 42"
ADA = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada"}


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The example as it stands, on a database of its own, with tables apart from those of other tests."""

    class Base(FreeholdBase):
        __abstract__ = True
        metadata = MetaData(naming_convention=NAMING)

    given = {"ENV": "test", "VAR_DIR": str(tmp_path), "LOG_LEVEL": "error", "DATABASE_URL": database_url}
    for name, value in given.items():
        monkeypatch.setenv(f"FREEHOLD_{name}", value)
    monkeypatch.setattr(freehold, "Base", Base)
    module = ModuleType("identity_alone")
    exec(compile(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE), "exec"), module.__dict__)  # the example is ours
    found: FastAPI = module.app
    return found


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://localhost") as client,
    ):
        yield client


async def registered(client: httpx2.AsyncClient) -> str:
    made = await client.post("/v1/users", json=ADA)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def logged_in(client: httpx2.AsyncClient) -> dict[str, str]:
    form = {"grant_type": "password", "username": ADA["email"], "password": PASSWORD}
    given = await client.post("/v1/auth/token", data=form)
    assert given.status_code == 200, given.text
    return {"Authorization": f"Bearer {given.json()['access_token']}"}


def test_the_program_has_fewer_than_fifteen_lines() -> None:
    _, *program = EXAMPLE.read_text(encoding="utf-8").splitlines()  # after its docstring, imports included
    assert len([line for line in program if line.strip()]) < 15


async def test_a_path_of_a_plain_application_is_for_those_with_an_account(app: FastAPI) -> None:
    async with served(app) as client:
        refused = await client.get("/greeting")
        assert (refused.status_code, refused.json()["code"]) == (401, "auth.unauthenticated")
        assert (await client.get("/greeting", headers={"Authorization": "Bearer x"})).status_code == 401
        user_id, bearer = await registered(client), await logged_in(client)
        assert (await client.get("/greeting", headers=bearer)).json() == f"Hello, {user_id}"
        assert (await client.get("/v1/users/me", headers=bearer)).json()["email"] == ADA["email"]
        wrong = {"grant_type": "password", "username": ADA["email"], "password": "not this one, no"}
        assert (await client.post("/v1/auth/token", data=wrong)).status_code == 401


async def test_a_log_in_by_cookie_needs_the_token_of_its_page(app: FastAPI) -> None:
    door = "/v1/auth/browser-session"
    async with served(app) as client:
        user_id = await registered(client)
        proof = {"email": ADA["email"], "password": PASSWORD}
        assert (await client.post(door, json=proof)).status_code == 403
        token = (await client.get(door)).json()["csrf_token"]
        opened = await client.post(door, json=proof, headers={"X-CSRF-Token": token})
        assert opened.status_code == 201, opened.text
        assert (await client.get("/greeting")).json() == f"Hello, {user_id}"
        change = {"full_name": "Ada L."}
        forged = await client.patch("/v1/users/me", json=change)
        assert (forged.status_code, forged.json()["code"]) == (403, "auth.forged_request")
        headers = {"X-CSRF-Token": opened.json()["csrf_token"]}
        assert (await client.patch("/v1/users/me", json=change, headers=headers)).json()["full_name"] == "Ada L."
        assert (await client.delete(door, headers=headers)).status_code == 204
        assert (await client.get("/greeting")).status_code == 401


async def test_an_api_key_opens_it_too(app: FastAPI) -> None:
    async with served(app) as client:
        user_id, bearer = await registered(client), await logged_in(client)
        made = await client.post("/v1/auth/api-keys", json={"name": "nightly"}, headers=bearer)
        assert made.status_code == 201, made.text
        key = {"X-API-Key": made.json()["key"]}
        assert (await client.get("/greeting", headers=key)).json() == f"Hello, {user_id}"


async def test_what_the_accounts_owe_is_done_and_accounts_outlive_the_process(app: FastAPI, tmp_path: Path) -> None:
    async with served(app) as client:
        await registered(client)
        async with asyncio.timeout(20):
            while not list((tmp_path / "mail").glob("*")):  # noqa: ASYNC110 (a letter that a job writes into a folder)
                await asyncio.sleep(0.05)
    async with served(app) as client:
        assert (await client.get("/greeting", headers=await logged_in(client))).status_code == 200


def test_its_document_tells_of_both(app: FastAPI) -> None:
    paths: dict[str, Any] = app.openapi()["paths"]
    assert {"/greeting", "/v1/users", "/v1/auth/token", "/v1/auth/browser-session"} <= set(paths)

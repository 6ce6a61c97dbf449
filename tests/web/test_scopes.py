"""403 `insufficient_scope`: said where a scope is all that is missing, and nowhere else (Z07, RFC 6750 3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from freehold import Freehold, Principal, Session, owner, role, scope, signed_in, where
from freehold.settings import Settings
from tests.web.shelf import ByName, Shelf, Size, as_, resources, served, size

pytestmark = pytest.mark.anyio

MINE = owner("owner_id")
PUBLIC = where(lambda: Shelf.is_public)


async def paint(db: Session, actor: Principal, shelf: Shelf) -> None:
    shelf.price += 1


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    shelves, things = resources()
    # Of the caller alone; of caller and row; two scopes, one of which would do on some rows.
    shelves.action("varnish", paint, access=role("staff") & scope("varnish") | signed_in & scope("shelves.varnish"))
    shelves.action("paint", paint, access=(MINE & scope("shelves.paint")) | (PUBLIC & role("staff")))
    shelves.action(
        "polish", paint, access=(MINE & scope("a") & scope("b")) | (PUBLIC & scope("c")) | where(Shelf.price > 9)
    )
    shelves.view("bulk", size, returns=Size, access=(MINE & scope("shelves.bulk")) | where(Shelf.price > 9))
    settings = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/s.db", secret="x" * 40, limits="off"
    )
    async with served(Freehold(shelves, things, settings=settings, authenticator=ByName())) as opened:
        yield opened


async def made(client: httpx2.AsyncClient, owner_name: str, **values: Any) -> str:
    body = {"owner_id": None, "name": "oak", **values}
    body.pop("owner_id")
    answer = await client.post("/v1/shelves", json=body, headers=as_(owner_name))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def test_Z07_a_scope_that_lacks_is_named_and_nothing_else_is_told(client: httpx2.AsyncClient) -> None:
    async def asked(caller: str, path: str, method: str = "POST") -> tuple[int, str | None]:
        answer = await client.request(method, path, headers=as_(caller) if caller else {})
        challenge = answer.headers.get("www-authenticate", "")
        assert ("error=" in challenge) == (answer.json().get("code") == "auth.insufficient_scope")
        return answer.status_code, challenge.partition('scope="')[2].rstrip('"') or None

    mine = await made(client, "ada")
    public = await made(client, "ada", is_public=True)
    never = "/v1/shelves/01890000-0000-7000-8000-000000000001"

    # The caller alone decides, before any row is looked at: the scope that would help this caller, not the other one.
    for row in (mine, public, never):
        assert await asked("bob:read", f"{row}/varnish") == (403, "shelves.varnish")
        assert await asked("", f"{row}/varnish") == (401, None)

    # The row decides: only where the scope would make the difference, on a row that the caller may read.
    assert await asked("ada:read", f"{mine}/paint") == (403, "shelves.paint")
    assert await asked("ada:read:shelves.paint", f"{mine}/paint") == (200, None)
    assert await asked("ada", f"{mine}/paint") == (200, None)  # a log-in without scopes is unrestricted
    assert await asked("bob:shelves.paint", f"{public}/paint") == (403, None)  # the scope is there, the right is not
    assert await asked("bob:read", f"{public}/paint") == (403, "shelves.paint")  # no row could help without it
    assert await asked("staff:read", f"{mine}/paint") == (403, None)  # staff reads it; a scope would not help
    assert await asked("staff:read", f"{public}/paint") == (200, None)

    # Two scopes: one where one does, both where both are needed, none where none helps.
    assert await asked("ada:x", f"{mine}/polish") == (403, "a b c")
    assert await asked("ada:a", f"{mine}/polish") == (403, "b")
    assert await asked("bob:x", f"{public}/polish") == (403, "c")
    assert await asked("bob:a:b", f"{public}/polish") == (403, "c")

    # A row that is hidden stays as hidden as one that never was, whatever the scopes.
    for caller in ("bob:read", "bob:shelves.paint", "bob:a:b:c"):
        for part in ("polish",):
            hidden, absent = [
                await client.post(f"{row}/{part}", headers=as_(caller, x_request_id="r1")) for row in (mine, never)
            ]
            assert hidden.status_code == absent.status_code == 404
            assert hidden.content.replace(mine.encode(), b"") == absent.content.replace(never.encode(), b"")
            assert "www-authenticate" not in hidden.headers

    # Views below a row as well.
    assert await asked("ada:x", f"{mine}/bulk", "GET") == (403, "shelves.bulk")
    assert await asked("ada:shelves.bulk", f"{mine}/bulk", "GET") == (200, None)
    assert await asked("bob:x", f"{public}/bulk", "GET") == (403, None)
    assert await asked("bob:x", f"{mine}/bulk", "GET") == (404, None)

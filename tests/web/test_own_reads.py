"""A GET of one's own takes a connection where it asks for a session, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends
from sqlalchemy import text

from freehold import Access, Caller, Db, Freehold, Principal, Resource, Router, allow, anyone
from freehold.settings import Settings
from tests.web.shelf import ByName
from tests.web.test_compiled import Coin

pytestmark = pytest.mark.anyio
router = Router(prefix="/v1")


async def both(one: Db, other: Db, caller: Caller) -> bool:
    return one is other and one.principal is caller


@router.get("/status", dependencies=[allow(anyone)])
async def status() -> str:
    return "ok"


@router.get("/number", dependencies=[allow(anyone)])
async def number(db: Db, same: Annotated[bool, Depends(both)]) -> int:
    assert same
    return (await db.execute(text("SELECT 7"))).scalar_one()


@router.post("/number", dependencies=[allow(anyone)])
async def write(db: Db) -> bool:
    return db.unit is not None


@router.get("/broken", dependencies=[allow(anyone)])
async def broken(db: Db) -> int:
    await db.execute(text("SELECT 1"))
    raise LookupError


class Counted:
    """Says of each reading session of a caller when it is opened and when it is closed."""

    def __init__(self, app: Freehold) -> None:
        self.said: list[str] = []
        self._reading = app.database.reading
        app.database.reading = self._counted  # type: ignore[method-assign]

    @asynccontextmanager
    async def _counted(self, principal: Principal, **options: Any) -> AsyncIterator[Any]:
        async with self._reading(principal, **options) as session:
            said = [] if principal.is_system else self.said  # what the service does beside
            said.append("opened")
            try:
                yield session
            finally:
                said.append("closed")


async def test_what_asks_for_no_session_needs_no_connection(tmp_path: Path, database_url: str) -> None:
    given = Settings(
        env="test", var_dir=tmp_path, database_url=database_url, secret="x" * 40, limits="off", log_level="error"
    )
    resource = Resource(Coin, access=Access(read=anyone))
    app = Freehold(resource, settings=given, authenticator=ByName(), routers=[router])
    counted = Counted(app)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/v1/status")).json() == "ok"
            assert (await client.post("/v1/number")).json() is True
            assert not counted.said
            assert (await client.get("/v1/number")).json() == 7
            assert counted.said == ["opened", "closed"]
            assert (await client.get("/v1/broken")).status_code == 500
            assert counted.said == ["opened", "closed"] * 2

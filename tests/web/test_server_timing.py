"""`Server-Timing`: there in development, with the guard, the statements and the whole; nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Resource, anyone, signed_in
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings

pytestmark = pytest.mark.anyio
PARTS = re.compile(r'guard;dur=([\d.]+), sql;dur=([\d.]+);desc="(\d+) statements", total;dur=([\d.]+)')


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Plate(Base):
    name: Mapped[str]


async def asked(folder: Path, env: str, path: str, **headers: str) -> httpx2.Response:
    settings = Settings(env=env, var_dir=folder, secret="s" * 40, log_level="error", blocking_ms=0)
    app = Freehold(Resource(Plate, access=Access(read=anyone, create=signed_in)), settings=settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path, headers=headers)


async def test_development_tells_what_took_how_long(tmp_path: Path) -> None:
    answer = await asked(tmp_path, "development", "/v1/plates")
    assert answer.status_code == 200
    told = PARTS.fullmatch(answer.headers["server-timing"])
    assert told is not None, answer.headers["server-timing"]
    guard, sql, number, total = (float(each) for each in told.groups())
    assert number >= 1
    assert 0 <= guard < total
    assert 0 < sql < total


async def test_a_credential_is_looked_at_before_anything_else(tmp_path: Path) -> None:
    refused = await asked(tmp_path, "development", "/v1/plates", Authorization="Bearer not-a-token")
    assert refused.status_code == 401
    told = PARTS.fullmatch(refused.headers["server-timing"])
    assert told is not None, refused.headers["server-timing"]
    assert float(told[1]) > 0
    assert told[3] == "0"


async def test_refusals_are_timed_too_and_other_environments_tell_nothing(tmp_path: Path) -> None:
    refused = await asked(tmp_path, "development", "/v1/plates?nothing=1")
    assert refused.status_code == 422
    assert "server-timing" in refused.headers
    assert "server-timing" not in (await asked(tmp_path, "test", "/v1/plates")).headers

"""The people of the tests, each with a client. `client` is that of somebody who has not signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from freehold import Freehold
from freehold.settings import Settings
from freehold.store import migrate
from freehold.testing import Stage

from ..app import build
from .people import People, gather

AsUser = Callable[..., AsyncClient]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    """Books on a database of this process, brought to the head of its history."""
    folder = tmp_path_factory.mktemp("books")
    url = f"sqlite+aiosqlite:///{folder}/books.db"
    found = build(
        Settings(env="test", database_url=url, var_dir=folder, limits="off", secret="s" * 40, log_level="error")
    )
    history = migrate.Migrations(Path(__file__).parents[1] / "migrations", url, found.all_metadata)
    asyncio.run(migrate.up(history, say=lambda _: None))
    return found


@pytest.fixture
async def people(stage: Stage) -> People:
    return await gather(stage)


@pytest.fixture
def me(as_user: AsUser, people: People) -> AsyncClient:
    return as_user(id=people.me.id)


@pytest.fixture
def stranger(as_user: AsUser, people: People) -> AsyncClient:
    return as_user(id=people.stranger.id)


@pytest.fixture
def admin(as_user: AsUser, people: People) -> AsyncClient:
    return as_user(id=people.admin.id, roles=["admin"])

"""The history of the schema: it leads to what is declared, on both databases, and back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from freehold.store import migrate
from freehold.testing.databases import server_database

from ..service import build
from ..settings import LibrarySettings
from .conftest import POSTGRES, core

HISTORY = Path(__file__).parents[1] / "migrations"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_history_leads_to_the_declarations(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "sqlite":
        asyncio.run(_there_and_back(f"sqlite+aiosqlite:///{tmp_path}/library.db", tmp_path))
        return
    url = request.getfixturevalue("empty_postgres_url")
    asyncio.run(_there_and_back(url, tmp_path))


@pytest.fixture
def empty_postgres_url(postgres_url: str):
    with server_database(POSTGRES) as url:
        yield url


async def _there_and_back(url: str, folder: Path) -> None:
    app = build(core=core(url, folder), own=LibrarySettings())
    history = migrate.Migrations(HISTORY, url, app.all_metadata)
    await migrate.up(history, say=lambda _: None)
    assert await migrate.check(history) == []
    await migrate.down(history, "base", say=lambda _: None)
    assert await migrate.current(history) is None

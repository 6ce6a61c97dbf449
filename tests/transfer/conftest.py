"""The store, running for all tests of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.conftest import postgres_database
from tests.transfer.store import make

from freehold.testing import House, Stage, opened


@pytest.fixture(scope="session")
async def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("store")
    async with opened(make(f"sqlite+aiosqlite:///{folder}/store.db", folder)) as found:
        yield found


@pytest.fixture(scope="session")
def store_database() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
async def postgresql_house(store_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with opened(make(store_database, tmp_path_factory.mktemp("store"))) as found:
        yield found


@pytest.fixture
async def stage(sqlite_house: House) -> AsyncIterator[Stage]:
    """The store for one test, on SQLite."""
    async with sqlite_house.stage() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def either_house(request: pytest.FixtureRequest) -> House:
    found: House = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
async def both(either_house: House) -> AsyncIterator[Stage]:
    """The store for one test, on either database."""
    async with either_house.stage() as found:
        yield found

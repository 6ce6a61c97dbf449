"""A database of each kind, and a table that shows which effects happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.jobs.effects import prepare
from tests.kept import Kept, kept

from freehold.resource import clock
from freehold.store.database import Database


@pytest.fixture(scope="module")
async def _kept(module_database: str) -> AsyncIterator[Kept]:
    # A connect that is cancelled while asyncpg asks for TLS leaves a future behind whose error nobody reads, and
    # anyio's runner reports it; these tests cancel on purpose.
    url = f"{module_database}?ssl=disable" if "postgresql" in module_database else module_database
    async with kept(Database.open(url), prepare) as found:
        yield found


@pytest.fixture
async def database(_kept: Kept) -> AsyncIterator[Database]:
    """Started, with Freehold's own tables and the table of effects."""
    async with _kept.lent() as found:
        yield found


@pytest.fixture
def move_clock() -> Iterator[Callable[[timedelta], None]]:
    """Put the clock of this process forward (or back) by so much, as often as called."""
    moved = timedelta(0)

    def move(by: timedelta) -> None:
        nonlocal moved
        moved += by
        clock.set_source(lambda: datetime.now(UTC) + moved)

    yield move
    clock.set_source(None)

"""Query budgets by operation: a request that runs more statements than it may fails, and shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter
from sqlalchemy import select
from tests.testing.sample import Folder
from tests.testing.sample import build as build_app

from freehold import Db, Router, allow, anyone
from freehold.testing import OverBudget, Stage, running

pytestmark = pytest.mark.anyio
ME = UUID(int=1)


def naive() -> APIRouter:
    """Asks for each row by itself."""
    router = Router(prefix="/v1")

    @router.get("/shelves/{number}", dependencies=[allow(anyone)])
    async def shelves(number: int, db: Db) -> int:
        for _ in range(number):
            await db.execute(select(Folder.id))
        return number

    return router


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    app = build_app(tmp_path)
    app.include_router(naive())
    async with running(app) as found:
        yield found


async def test_an_operation_over_its_budget_fails_and_shows_its_statements(stage: Stage) -> None:
    with stage.budgets({"GET /v1/shelves/{number}": 2}) as budgets:
        async with stage.client() as client:
            assert (await client.get("/v1/shelves/2")).status_code == 200
            with pytest.raises(OverBudget, match=r"GET /v1/shelves/\{number\}: 3 statements where at most 2") as told:
                await client.get("/v1/shelves/3")
    assert str(told.value).count("SELECT sample_folders.id") == 3
    assert budgets.used == {"GET /v1/shelves/{number}": 3}


async def test_operations_without_a_budget_are_counted_or_held_to_the_common_one(stage: Stage) -> None:
    with stage.budgets({}) as budgets:
        async with stage.as_user(id=ME) as me:
            assert (await me.get("/v1/folders")).status_code == 200
    assert budgets.used["GET /v1/folders"] >= 1
    with stage.budgets({"GET /v1/folders": 5}, otherwise=0):
        async with stage.as_user(id=ME) as me:
            assert (await me.get("/v1/folders")).status_code == 200
            with pytest.raises(OverBudget):
                await me.get("/v1/shelves/1")


async def test_after_the_block_nothing_is_counted(stage: Stage) -> None:
    with stage.budgets({}, otherwise=0):
        pass
    async with stage.client() as client:
        assert (await client.get("/v1/shelves/4")).json() == 4

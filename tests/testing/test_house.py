"""One application for many tests: each finds it as it was when it started."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from tests.testing.sample import Folder, Label
from tests.testing.sample import build as build_app

from freehold import system
from freehold.store import AUDIT, audit
from freehold.testing import Clock, Stage, opened, running

pytestmark = pytest.mark.anyio
ME = UUID(int=1)


async def count(stage: Stage) -> tuple[int, int]:
    async with stage.database.reading(system("a test counts")) as session:
        labels = await session.scalar(select(func.count()).select_from(Label))
        return int(labels or 0), int(await session.scalar(select(func.count()).select_from(AUDIT)) or 0)


async def test_whatever_a_stage_did_the_next_one_starts_empty(database_url: str, tmp_path: Path) -> None:
    async with opened(build_app(tmp_path, url=database_url)) as house:
        for isolate in (True, False, False, True):
            async with house.stage(isolate=isolate) as stage:
                assert await count(stage) == (0, 0)
                await stage.make(Label)
                async with stage.database.writing(system("a record that no statement may delete")) as unit:
                    await audit.record(unit.session, "label.made", subject_type="label", subject_id="1")
                labels, records = await count(stage)
                assert labels == 1
                assert records >= 1


async def test_what_was_there_at_the_start_is_put_back(database_url: str, tmp_path: Path) -> None:
    app = build_app(tmp_path, url=database_url)
    async with running(app, isolate=False) as stage:
        await stage.make(Label)
    async with opened(app) as house:
        for _ in range(2):
            async with house.stage(isolate=False) as stage:
                assert (await count(stage))[0] == 1
                await stage.make(Label)


async def test_memory_is_put_back_as_well(tmp_path: Path) -> None:
    app = build_app(tmp_path)
    async with opened(app) as house:
        async with house.stage() as stage:
            stage.database.parts[Path] = tmp_path
            app.dependency_overrides[count] = count
            app.state.seen = True
            (tmp_path / "mail").mkdir()
            (tmp_path / "mail" / "1.eml").write_text("left over")
            me = stage.as_user(id=ME)
        assert Path not in app.database.parts
        assert app.dependency_overrides == {}
        assert not hasattr(app.state, "seen")
        assert not (tmp_path / "mail" / "1.eml").exists()
        async with house.stage():
            assert (await me.get("/v1/folders")).status_code == 401, "callers are those of their own stage"


async def test_one_stage_at_a_time(tmp_path: Path) -> None:
    app = build_app(tmp_path)
    async with opened(app) as house, house.stage():
        with pytest.raises(RuntimeError, match="one stage at a time"):
            async with house.stage():
                pass
        with pytest.raises(RuntimeError, match="one stage at a time"):
            async with running(app):
                pass


async def test_running_uses_the_house_that_is_open(tmp_path: Path) -> None:
    app = build_app(tmp_path)
    async with opened(app) as house:
        async with running(app) as stage:
            await stage.make(Folder, owner_id=ME)
        async with house.stage() as stage, stage.as_user(id=ME) as me:
            assert (await me.get("/v1/folders")).json()["items"] == []


def test_clocks_nest() -> None:
    with Clock() as outer:
        with Clock() as inner:
            inner.advance(days=1)
        assert outer.now() == Clock().now()

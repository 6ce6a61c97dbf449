"""The stage: one transaction around a test, callers without a log-in, rows past the rules, a budget, a clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import APIRouter
from sqlalchemy import func, select
from tests.testing.sample import Folder, Label, Note
from tests.testing.sample import build as build_app

from freehold import Principal, Router, allow, anyone, system
from freehold.resource import clock as freehold_clock
from freehold.testing import Clock, OverBudget, Scenario, Stage, Unguarded, build, every_route_has_a_rule, running

pytestmark = pytest.mark.anyio
ME = UUID(int=1)


async def count(stage: Stage, model: type[Folder | Note | Label]) -> int:
    async with stage.database.reading(system("a test counts")) as session:
        return int(await session.scalar(select(func.count()).select_from(model)) or 0)


async def test_what_a_test_does_is_undone_on_both_databases(database_url: str, tmp_path: Path) -> None:
    app = build_app(tmp_path, url=database_url)
    for _ in range(2):
        async with running(app) as stage:
            folder = await stage.make(Folder, owner_id=ME)
            async with stage.as_user(id=ME) as me:
                answer = await me.post(
                    "/v1/notes", json={"title": "a", "text": "b", "slug": "s", "folder_id": str(folder.id)}
                )
                assert answer.status_code == 201, answer.text
                assert (await me.get(answer.headers["location"])).json()["owner_id"] == str(ME)
                again = await me.post(
                    "/v1/notes", json={"title": "a", "text": "b", "slug": "s", "folder_id": str(folder.id)}
                )
                assert again.status_code == 409, "a refused write leaves the transaction usable"
            assert (await count(stage, Folder), await count(stage, Note)) == (1, 1)
    async with running(app, isolate=False) as stage:
        assert (await count(stage, Folder), await count(stage, Note)) == (0, 0)


async def test_blocks_that_step_aside_are_undone_at_their_end(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        await stage.make(Label)
        async with stage.aside():
            await stage.make(Label)
            async with stage.aside():
                await stage.make(Label)
                assert await count(stage, Label) == 3
            assert await count(stage, Label) == 2
        assert await count(stage, Label) == 1


async def test_only_an_isolated_stage_steps_aside(tmp_path: Path) -> None:
    async with running(build_app(tmp_path), isolate=False) as stage:
        await stage.make(Label)
        with pytest.raises(TypeError, match="isolated"):
            async with stage.aside():
                pass
    async with running(build_app(tmp_path)) as stage:
        assert await count(stage, Label) == 1, "without isolation it was for good"


async def test_units_take_turns_on_the_one_connection(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        folder = await stage.make(Folder, owner_id=ME)
        async with stage.as_user(id=ME) as me:
            bodies = [{"title": str(n), "text": "b", "slug": str(n), "folder_id": str(folder.id)} for n in range(10)]
            answers = await asyncio.gather(*(me.post("/v1/notes", json=body) for body in bodies))
        assert {answer.status_code for answer in answers} == {201}
        assert await count(stage, Note) == 10


async def test_a_unit_inside_a_unit_is_told_to_use_the_session_at_hand(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        with pytest.raises(RuntimeError, match="session at hand"):
            async with stage.database.writing(system("outer")), stage.database.writing(system("inner")):
                pass


async def test_callers_have_roles_and_scopes_and_a_false_one_is_401(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        async with stage.as_user(id=ME, roles=["auditor"]) as auditor:
            assert (await auditor.post("/v1/labels", json={"name": "x"})).status_code == 201
        async with stage.as_user(id=ME) as me:
            assert (await me.post("/v1/labels", json={"name": "x"})).status_code == 403
        async with stage.client(Authorization="Test nobody-knows") as stranger:
            assert (await stranger.get("/v1/labels")).status_code == 401


async def test_a_user_row_becomes_a_caller(tmp_path: Path) -> None:
    class User:
        id = ME
        roles = ("auditor",)

    async with running(build_app(tmp_path)) as stage, stage.as_user(User()) as auditor:
        assert (await auditor.post("/v1/labels", json={"name": "x"})).status_code == 201


async def test_the_factory_makes_parents_and_keeps_what_is_given(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        note = await stage.make(Note, title="given")
        assert note.title == "given"
        assert await count(stage, Folder) == 1
        first, second = build(Label), build(Label)
        assert first.name != second.name


async def test_a_budget_counts_statements_and_lists_them(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage, stage.client() as client:
        with stage.budget(1):
            await client.get("/v1/labels")
        with pytest.raises(OverBudget, match="SELECT"), stage.budget(0):
            await client.get("/v1/labels")


async def test_a_scenario_says_what_must_and_must_not_come_back(tmp_path: Path) -> None:
    async with running(build_app(tmp_path)) as stage:
        note = await stage.make(Note, owner_id=ME, title="mine", memo="private")
        await Scenario(
            name="the owner", request="GET /v1/notes/{note}", caller=Principal(id=ME), fields={"title": "mine"},
            has=["private"], statements=1,
        ).run(stage, note=note.id)  # fmt: skip
        stranger = Scenario(
            name="nobody", request="GET /v1/notes/{note}", status=401, code="auth.unauthenticated", lacks=["private"]
        )
        answer = await stage.client().get("/v1/notes")
        assert answer.status_code == 200
        with pytest.raises(AssertionError, match="401 expected, 404 came"):
            await stranger.run(stage, note=note.id)
        with pytest.raises(AssertionError, match="'mine' is there"):
            await Scenario(
                name="too much", request="GET /v1/notes/{note}", caller=Principal(id=ME), lacks=["mine"]
            ).run(stage, note=note.id)


def test_a_clock_stands_still_until_it_is_moved() -> None:
    with Clock() as clock:
        start = freehold_clock.now()
        assert freehold_clock.now() == start
        clock.advance(hours=24)
        clock.advance(timedelta(minutes=1))
        assert freehold_clock.now() - start == timedelta(days=1, minutes=1)
        clock.set(datetime(2030, 1, 1, tzinfo=UTC))
        assert freehold_clock.now().year == 2030
        with pytest.raises(ValueError, match="back"):
            clock.advance(seconds=-1)
        with pytest.raises(ValueError, match="naive"):
            clock.set(datetime(2030, 1, 1))  # noqa: DTZ001
    assert abs(freehold_clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_Z01_every_route_has_a_rule(tmp_path: Path) -> None:
    rules = every_route_has_a_rule(build_app(tmp_path))
    assert rules["GET /v1/sample-statistics/notes"] == "anyone"
    assert rules["DELETE /v1/folders/{id}"] == "owner('owner_id')"


def test_Z01_a_route_without_a_rule_is_caught(tmp_path: Path) -> None:
    plain = APIRouter()
    guarded = Router(dependencies=[allow(anyone)])

    @plain.get("/v1/forgotten")
    async def forgotten() -> int:
        return 1

    @guarded.get("/v1/remembered")
    async def remembered() -> int:
        return 1

    with pytest.raises(Unguarded, match=r"GET /v1/forgotten$"):
        every_route_has_a_rule(build_app(tmp_path, routers=[plain, guarded]))  # type: ignore[list-item]

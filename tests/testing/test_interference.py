"""Z02, Z03, Z04, Z05: the proof holds for the right service and catches each weakened one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import func, select
from tests.testing.sample import FOLDER_ACCESS, NOTE_ACCESS, READ_NOTES, Folder, Note, Related, build, folders, notes
from tests.testing.seeds import CALLERS, full_seed, seed

from freehold import (
    Access,
    Conflict,
    Db,
    Filter,
    Forbidden,
    Freehold,
    Principal,
    Queries,
    Router,
    Session,
    allow,
    anyone,
    owner,
    role,
    signed_in,
    where,
)
from freehold.resource.access import nobody
from freehold.store import public_fact
from freehold.store.protection import Shape
from freehold.testing.interference import Interference, Vacuous, non_interference
from freehold.testing.scene import Scene
from freehold.testing.stage import Stage
from freehold.web import changes
from freehold.web.bound import Bound
from freehold.web.guard import Rule

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
Fault = Callable[[Path], Freehold]


@pytest.mark.long
async def test_Z03_the_right_service_passes_for_everyone(tmp_path: Path) -> None:
    done = await non_interference(build(tmp_path), full_seed)
    assert done.requests > 800
    assert done.statuses[200] > 200
    assert done.statuses[404] > 100
    assert done.statuses[409] > 0, "taken slugs are a public fact, and were met"
    assert max(done.statuses) < 500


def reading(rule: Rule) -> Fault:
    return lambda path: build(path, note=notes(access=replace(NOTE_ACCESS, read=rule)))


def dropped_folder_rule(path: Path) -> Freehold:
    return build(path, folder=folders(access=replace(FOLDER_ACCESS, read=signed_in)))


def dropped_field_rule(path: Path) -> Freehold:
    return build(path, note=notes(access=replace(NOTE_ACCESS, read_fields={})))


def counting_everything(path: Path) -> Freehold:
    router = Router(prefix="/v1/all")

    @router.get("/count", dependencies=[allow(anyone)])
    async def count(db: Db) -> int:
        async with db.unscoped("a planted fault") as everything:
            return int(await everything.scalar(select(func.count()).select_from(Note)) or 0)

    return build(path, routers=[router])


def own_route_that_confirms(path: Path) -> Freehold:
    router = Router(prefix="/v1/all")

    @router.get("/{note_id}", dependencies=[allow(anyone)])
    async def look(db: Db, note_id: str) -> str:
        async with db.unscoped("a planted fault") as everything:
            if note_id in [str(key) for key in await everything.scalars(select(Note.id))]:
                raise Forbidden
        return "nothing"

    return build(path, routers=[router])


async def every_title(db: Session, actor: Principal, note: Note) -> Related:
    async with db.unscoped("a planted fault") as everything:
        return Related(titles=list(await everything.scalars(select(Note.title).order_by(Note.title))))


def view_past_the_rules(path: Path) -> Freehold:
    note = notes()
    note.views.clear()
    note.view("related", every_title, returns=Related)
    return build(path, note=note)


async def naming_the_other(db: Session, actor: Principal, note: Note, changes: Any) -> Note:
    async with db.unscoped("a planted fault") as everything:
        last = await everything.scalar(
            select(Note.title).where(Note.owner_id != note.owner_id).order_by(Note.title.desc())
        )
    raise Conflict(f"This would come after {last!r}.")


async def counting_in_the_answer(db: Session, actor: Principal, draft: Any) -> Note:
    async with db.unscoped("a planted fault") as everything:
        taken = await everything.scalar(select(func.count()).select_from(Note).where(Note.score > draft.score))
    return Note(**{**draft.model_dump(), "score": taken})


def peeking_filter(path: Path) -> Freehold:
    better = Note.__table__.alias("better")

    def clause(values: Any) -> Any:
        hidden = select(better.c.id).where(better.c.score > values["beaten"]).exists()
        return public_fact(hidden, reason="a planted fault")

    plain = notes().queries
    queries = Queries(
        filters=[*(plain.filters or ()), Filter({"beaten": int}, clause)], sort=plain.sort, search=plain.search
    )
    router = Router(prefix="/v1/beaten")

    @router.get("/notes", dependencies=[allow(anyone)])
    async def beaten(db: Db) -> int:
        return int(await db.scalar(select(func.count()).select_from(Note).where(clause({"beaten": 5}))) or 0)

    return build(path, note=notes(queries=queries), routers=[router])


FAULTS: dict[str, Fault] = {
    "read rule dropped": reading(anyone),
    "owner loosened to signed in": reading(signed_in),
    "role widened": reading(READ_NOTES | role("member")),
    "owner negated": reading(READ_NOTES | ~owner("owner_id")),
    "and turned to or": reading(owner("owner_id") | where(lambda: Note.score > 1)),
    "state loosened": reading(READ_NOTES | where(lambda: Note.state != "archived")),
    "rule of the parent dropped": dropped_folder_rule,
    "field rule dropped": dropped_field_rule,
    "count without the rule": counting_everything,
    "own route that tells 403 from 404": own_route_that_confirms,
    "view past the rules": view_past_the_rules,
    "error text that names another's row": lambda path: build(path, note=notes(update=naming_the_other)),
    "answer computed from hidden rows": lambda path: build(path, note=notes(create=counting_in_the_answer)),
    "condition that peeks": peeking_filter,
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if at % 3 else []) for at, name in enumerate(FAULTS)]
)
async def test_Z03_a_weakened_service_is_caught(name: str, tmp_path: Path) -> None:
    with pytest.raises(Interference):
        await non_interference(FAULTS[name](tmp_path), seed, give_up_after=1)


async def _no_check(*_: Any) -> None:
    return None


def _without_hidden(self: Bound, principal: Principal) -> dict[str, Rule]:
    return {}


def _no_condition(*_: Any) -> bool:
    return True


INSIDE = {
    "rows under a rule are pointed to freely": mock.patch.object(changes, "check_links", _no_check),
    "fields under a rule are shown": mock.patch.object(Bound, "conditional", _without_hidden),
    "the compiler writes no rule": mock.patch.object(Shape, "condition", _no_condition),
}


@pytest.mark.parametrize("name", INSIDE)
async def test_Z03_a_fault_inside_freehold_is_caught(name: str, tmp_path: Path) -> None:
    with INSIDE[name], pytest.raises(Interference):
        await non_interference(build(tmp_path), seed, give_up_after=1)


async def test_a_scene_without_secrets_proves_nothing(tmp_path: Path) -> None:
    async def empty(stage: Stage) -> Scene:
        return Scene(callers=CALLERS)

    with pytest.raises(Vacuous, match="no secrets"):
        await non_interference(build(tmp_path), empty)


async def test_a_service_that_refuses_everything_proves_nothing(tmp_path: Path) -> None:
    async def bare(stage: Stage) -> Scene:
        folder = await stage.make(Folder)
        return Scene(callers={}, secrets={"nobody": [folder]})

    hidden = notes(access=replace(NOTE_ACCESS, read=nobody, create=nobody))
    closed = build(tmp_path, note=hidden, routers=(), labels=Access(read=role("auditor")))
    with pytest.raises(Vacuous, match="succeeded"):
        await non_interference(closed, bare)

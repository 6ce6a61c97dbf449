"""Z01, Z02: the table of operations, callers and rows; and the faults that it catches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.testing.sample import Note, build, notes
from tests.testing.seeds import full_seed

from freehold import Forbidden, Principal, Session
from freehold.resource.access import anyone
from freehold.store.judgement import Judge
from freehold.store.protection import Shape
from freehold.testing.access_table import Line, WrongAnswer, access_table
from freehold.testing.interference import Vacuous
from freehold.web import admission, writes
from freehold.web.bound import Bound

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_Z01_every_operation_answers_every_caller_as_declared(tmp_path: Path) -> None:
    lines = await access_table(build(tmp_path), full_seed)
    callers = {line.caller for line in lines}
    assert callers == {"me", "them", "auditor", "stranger", "nobody", "stranger as auditor"}
    assert {line.verdict for line in lines} == {"right"}
    assert {wanted for line in lines for wanted in line.expected} == {"ok", "401", "403", "404"}
    assert len(lines) > 250


async def show_anything(db: Session, actor: Principal, note: Note, changes: Any) -> Note:
    raise Forbidden("a planted fault")


async def _load_past_rules(session: Session, bound: Bound, key: Any, *_: Any, **__: Any) -> Any:
    async with session.unscoped("a planted fault") as everything:
        found = (await everything.scalars(select(bound.model).where(bound.key == key))).one()
    return await session.merge(found, load=False)


def _nothing(*_: Any) -> None:
    return None


def _no_condition(*_: Any) -> bool:
    return True


def _always(_: Shape, rule: Any, model: Any) -> Any:
    return model.id == model.id  # true, and about the table


def _no_fields(*_: Any) -> dict[str, Any]:
    return {}


FAULTS = {
    "nobody is asked who they are": [(admission, "require", _nothing)],
    "the role is not asked for": [(admission, "require", _nothing), (Judge, "before", _nothing)],
    "rows are changed past the rules": [(writes, "load_for_change", _load_past_rules), (Judge, "before", _nothing)],
    "the compiler writes no rule": [(Shape, "condition", _no_condition)],
    "the rule of the change is not asked": [(Shape, "for_rule", _always), (Judge, "before", _nothing)],
    "fields under a rule are shown": [(Bound, "conditional", _no_fields)],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_Z01_a_fault_is_caught(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, attribute, fault in FAULTS[name]:
        monkeypatch.setattr(place, attribute, fault)
    with pytest.raises(WrongAnswer):
        await access_table(build(tmp_path), full_seed, give_up_after=1)


async def test_a_function_that_refuses_is_named_or_caught(tmp_path: Path) -> None:
    with pytest.raises(WrongAnswer, match="update_note as"):
        await access_table(build(tmp_path, note=notes(update=show_anything)), full_seed, give_up_after=1)
    again = build(tmp_path, note=notes(update=show_anything))
    assert await access_table(again, full_seed, may_refuse=["update_note"])


async def test_an_operation_that_is_never_decided_is_told(tmp_path: Path) -> None:
    with pytest.raises(Vacuous, match="update_note"):
        await access_table(build(tmp_path), full_seed, bodies={"update_note": {"unknown": 1}})


@pytest.mark.parametrize(
    ("expected", "status", "verdict"),
    [
        (("ok",), 200, "right"), (("ok",), 409, "right"), (("404",), 404, "right"), (("404",), 403, "wrong"),
        (("404",), 422, "undecided"), (("403",), 200, "wrong"), (("ok",), 500, "wrong"), (("ok", "403"), 403, "right"),
    ],
)  # fmt: skip
def test_a_line_judges_itself(expected: tuple[str, ...], status: int, verdict: str) -> None:
    assert Line("one", "me", "row", expected, status).verdict == verdict
    assert anyone.describe() == "anyone"

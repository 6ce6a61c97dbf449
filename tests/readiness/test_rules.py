"""Each rule with code that it finds, and with the same done well, which it lets pass (`snippets.py`).

All bad snippets make one project and all good ones another, so that each is imported and looked at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from freehold.readiness import RULES, Report, audit
from tests.readiness.looking import audit_of
from tests.readiness.snippets import CODE, COMMON, FILES, PRELUDE

BAD, GOOD = 0, 1


def _project(folder: Path, side: int) -> Report:
    names = {rule: rule.replace("-", "_") for rule in CODE}
    for rule, name in names.items():
        (folder / f"{name}.py").write_text(PRELUDE + CODE[rule][side])
    (folder / "common.py").write_text(COMMON)
    lines = ["from fastapi import FastAPI", *(f"import {name}" for name in names.values()), "app = FastAPI()"]
    lines += [f'app.include_router({name}.router, prefix="/x{number}")' for number, name in enumerate(names.values())]
    (folder / "main.py").write_text("\n".join(lines))
    return audit_of(folder)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _project(tmp_path_factory.mktemp("bad"), BAD)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _project(tmp_path_factory.mktemp("good"), GOOD)


def _in(report: Report, rule: str) -> set[str]:
    return {each.rule.id for each in report.findings if each.place.path == f"{rule.replace('-', '_')}.py"}


@pytest.mark.parametrize("rule", CODE)
def test_a_rule_finds_the_bad_and_passes_the_good(bad: Report, good: Report, rule: str) -> None:
    assert rule in _in(bad, rule)
    assert rule not in _in(good, rule)


def _things() -> FastAPI:
    app = FastAPI()
    app.get("/things")(lambda: 1)
    app.get("/things/{thing_id}")(lambda thing_id: thing_id)
    return app


@pytest.mark.parametrize("rule", FILES)
def test_a_rule_looks_at_files(tmp_path: Path, rule: str) -> None:
    for side in (BAD, GOOD):
        folder = tmp_path / str(side)
        for path, content in FILES[rule][side].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        found = {each.rule.id for each in audit(folder, app=_things()).findings}
        assert (rule in found) is (side == BAD), found


def test_no_rule_is_without_its_two_sides() -> None:
    of_resources = {each.id for each in RULES if each.family == "resources"}  # test_declared.py
    assert set(CODE) | set(FILES) | of_resources == {each.id for each in RULES}

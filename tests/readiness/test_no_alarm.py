"""A false alarm costs more than a missed fault: good applications, our own and others, are passed without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from services.imba.service import build

from freehold.cli import new
from freehold.cli.rendering import names_below, render, write_all
from freehold.readiness import Report, audit
from tests.readiness.conftest import Audited

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/app.py"))
EXAMPLES = ["examples.hello:app", "examples.notes.app:app"]


def told(report: Report) -> list[str]:
    return [f"{each.place}: {each.rule.id}: {each.message}" for each in report.findings]


@pytest.mark.parametrize(
    ("name", "target", "operations"),
    [("full_stack_style", "app.main:app", 22), ("practices_style", "src.main:app", 14)],
)
def test_applications_in_the_style_of_the_popular_templates(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, name: str, target: str, operations: int
) -> None:
    monkeypatch.setenv("JWT_SECRET", "given by the environment, as it should be")
    report = audited(name, target=target)
    assert (told(report), report.silent, report.operations) == ([], [], operations)


@pytest.mark.long
def test_imba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEHOLD_ENV", "test")
    monkeypatch.setenv("FREEHOLD_VAR_DIR", str(tmp_path))
    folder = ROOT / "services" / "imba"
    report = audit(folder, app=build(), declared=bool)
    assert (told(report), report.silent) == ([], [])
    assert report.operations > 5


def test_the_source_of_examples() -> None:
    report = audit(ROOT, [ROOT / "examples"])
    assert told(report) == []
    assert {each.rule.id for each in report.suppressed} == {"commit-after-answer", "secret-default"}


def test_what_freehold_new_writes(tmp_path: Path) -> None:
    values = new._values("bookstore", "bookstore")
    names = names_below("project")
    write_all({tmp_path / name.removeprefix("project/"): render(name, values) for name in names})
    report = audit(tmp_path)
    assert told(report) == []
    assert report.files > 5


def _checked(folder: Path, *arguments: str) -> list[dict[str, object]]:
    """What the command finds, in a process of its own: applications may share names of tables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    done = subprocess.run(
        [sys.executable, "-m", "freehold.cli", "check", *arguments, "--json"],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)["findings"]
    return found


@pytest.mark.proof
@pytest.mark.parametrize("service", SERVICES)
def test_our_services_whole(service: str) -> None:
    assert _checked(ROOT, f"services.{service}.app:app", f"services/{service}") == []


@pytest.mark.proof
@pytest.mark.parametrize("target", EXAMPLES)
def test_our_examples_whole(target: str) -> None:
    assert _checked(ROOT, target, "examples") == []


@pytest.mark.proof
def test_a_new_project_whole(tmp_path: Path) -> None:
    new.write(tmp_path / "bookstore", "bookstore")
    assert _checked(tmp_path / "bookstore") == []

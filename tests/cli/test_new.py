"""`freehold new`: what it refuses, and that the project it writes passes its own tests; `test_add` runs its checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.cli import new
from freehold.cli.rendering import names_below, render, written
from freehold.errors import ConfigurationError

Run = Callable[..., Any]


def environment(var: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "COV_", "PYTEST_"))}
    return {**kept, "FREEHOLD_VAR_DIR": str(var), "PORT": "0"}


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a project, as somebody would run it there."""
    return subprocess.run(
        arguments,
        cwd=folder,
        env=environment(folder.parent / "var"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def freehold(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return call(folder, sys.executable, "-m", "freehold.cli", *arguments)


class TestNames:
    @pytest.mark.parametrize(("name", "package"), [("bookstore", "bookstore"), ("my-shop", "my_shop"), ("b2", "b2")])
    def test_a_name_gives_its_package(self, name: str, package: str) -> None:
        assert new.package_name(name) == package

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("Books", "small letters"),
            ("1st", "small letters"),
            ("book store", "small letters"),
            ("b" * 41, "at most 40"),
            ("-", "small letters"),
            ("", "small letters"),
            ("class", "a word of Python's own"),
            ("match", "a word of Python's own"),
            ("json", "in its place"),
            ("fastapi", "in its place"),
            ("freehold", "Freehold's own"),
            ("freehold-shop", "Freehold's own"),
            ("tests", "the project itself has"),
        ],
    )
    def test_one_that_cannot_be_is_refused_with_the_reason(self, name: str, reason: str) -> None:
        with pytest.raises(ConfigurationError, match=reason):
            new.package_name(name)


class TestRefusals:
    def test_a_folder_with_something_in_it_is_left_alone(self, run: Run, project: Path) -> None:
        (project / "bookstore").mkdir()
        (project / "bookstore" / "mine.txt").write_text("mine")
        printed = run("new", "bookstore")
        assert (printed.status, printed.out) == (2, "")
        assert "bookstore is there already and not empty" in printed.err
        assert [path.name for path in (project / "bookstore").iterdir()] == ["mine.txt"]

    def test_a_file_of_that_name_too(self, run: Run, project: Path) -> None:
        (project / "bookstore").write_text("mine")
        assert "bookstore is a file" in run("new", "bookstore").err

    def test_a_step_that_fails_leaves_nothing(self, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> str:
            raise ConfigurationError("a planted fault")

        monkeypatch.setattr(new, "run_in", fail)
        printed = run("new", "bookstore")
        assert (printed.status, printed.err) == (2, "freehold: a planted fault\n")
        assert not (project / "bookstore").exists()


def test_files_are_written_all_or_none(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.txt", tmp_path / "deep" / "er" / "new.txt"
    old.write_text("before")
    with pytest.raises(RuntimeError), written({old: "after", fresh: "new"}):
        assert (old.read_text(), fresh.read_text()) == ("after", "new")
        raise RuntimeError
    assert old.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    with written({fresh: "new"}):
        pass
    assert fresh.read_text() == "new"


def test_a_template_asks_for_every_value() -> None:
    assert "project/pyproject.toml" in names_below("project")
    with pytest.raises(Exception, match="distribution"):
        render("project/pyproject.toml", {})


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_new_project_passes_its_own_tests(run: Run, project: Path) -> None:
    printed = run("new", "my-shop", "--json")
    assert printed.status == 0, printed.err
    report = json.loads(printed.out)
    shop = project / "my-shop"
    assert (report["project"], report["package"]) == ("my-shop", "my_shop")
    assert report["files"] == sorted(str(path.relative_to(shop)) for path in shop.rglob("*") if path.is_file())
    assert {".env.example", "Makefile", "README.md", ".github/workflows/ci.yml", "tests/test_proofs.py"} <= set(
        report["files"]
    )
    assert len(list((shop / "my_shop" / "migrations" / "versions").glob("*.py"))) == 1
    assert "#MY_SHOP_TITLE=My shop" in (shop / ".env.example").read_text()

    tested = call(shop, "make", "test", "ARGS=-q -p no:cacheprovider")
    assert "17 passed" in tested.stdout, tested.stdout + tested.stderr
    assert f"running in the environment of {sys.executable}" in tested.stderr
    assert not (shop / "var").exists()

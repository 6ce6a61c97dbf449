"""Which app a command is about."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from freehold.cli import target
from freehold.errors import ConfigurationError

APP = "from fastapi import FastAPI\napp = FastAPI(title='Tiny')\nother = FastAPI(title='Other')\nnumber = 7\n"


@pytest.mark.parametrize(("named", "title"), [("tiny:app", "Tiny"), ("tiny", "Tiny"), ("tiny:other", "Other")])
def test_an_app_is_module_and_attribute(project: Path, named: str, title: str) -> None:
    (project / "tiny.py").write_text(APP)
    assert target.load(named).title == title


def test_the_project_names_its_app(project: Path) -> None:
    (project / "tiny.py").write_text(APP)
    (project / "pyproject.toml").write_text('[tool.freehold]\napp = "tiny:other"\n')
    assert target.load(None).title == "Other"
    assert target.load("tiny:app").title == "Tiny"


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (None, r'\[tool.freehold\] app = "bookstore.app:app"'),
        ("absent:app", "There is no module absent"),
        ("tiny.absent:app", "There is no module tiny.absent"),
        ("tiny:absent", "tiny holds no absent"),
        ("tiny:number", "tiny:number is a int, not a FastAPI or Freehold app"),
    ],
)
def test_what_is_no_app_is_refused_with_the_remedy(project: Path, named: str | None, says: str) -> None:
    (project / "tiny.py").write_text(APP)
    with pytest.raises(ConfigurationError, match=says):
        target.load(named)


def test_an_error_inside_the_module_is_not_hidden(project: Path) -> None:
    (project / "broken.py").write_text("import a_module_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        target.load("broken:app")


def test_a_broken_pyproject_is_named(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.freehold\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml is not TOML"):
        target.load(None)


def test_the_working_directory_comes_first(project: Path) -> None:
    (project / "tiny.py").write_text(APP)
    target.load("tiny")
    assert sys.path[0] == str(project)

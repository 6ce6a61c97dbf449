"""Which app a command is about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from freehold.cli import target
from freehold.errors import ConfigurationError

Run = Callable[..., Any]
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


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import a_module_that_is_not_there\n",
            ["ModuleNotFoundError: No module named 'a_module", "broken.py:1  import a_"],
        ),
        ("from fastapi import Nothing\n", ["ImportError: cannot import name 'Nothing'", "broken.py:1  from fastapi"]),
        ("x = 1\ndef f(:\n", ["SyntaxError: invalid syntax", "broken.py:2  def f(:"]),
        (
            "\ndef f():\n    return nope\n\nf()\n",
            ["NameError: name 'nope'", "broken.py:5  f()", "broken.py:3  return nope"],
        ),
        (
            # On a base of its own: half a class stays in the registry until it is collected, and other tests look there.
            "from sqlalchemy.orm import DeclarativeBase as D\nclass Own(D):\n    pass\nclass Odd(Own):\n    title: int\n",
            ["MappedAnnotationError: Type annotation", "broken.py:4  class Odd(Own):"],
        ),
    ],
)
def test_an_error_inside_the_module_is_told_by_its_own_lines(
    run: Run, project: Path, source: str, says: list[str]
) -> None:
    (project / "broken.py").write_text(source)
    (project / "app.py").write_text("import broken\n")
    for named, more in (("broken", []), ("app", ["app.py:1  import broken"])):
        printed = run("routes", named)
        assert (printed.status, printed.out) == (2, "")
        assert printed.err.startswith(f"freehold: {named} cannot be imported: {says[0]}")
        lines = [line.strip() for line in printed.err.splitlines()[1:] if line.startswith("  ")]
        wanted = [*([] if "SyntaxError" in says[0] else more), *says[1:]]
        assert all(line.startswith(place) for line, place in zip(lines[: len(wanted)], wanted, strict=True)), (
            printed.err
        )
        assert "Traceback" not in printed.err
        assert not any("site-packages" in line for line in lines)
        assert "importlib" not in printed.err
        for loaded in ("broken", "app"):
            sys.modules.pop(loaded, None)


def test_F14_a_refused_declaration_keeps_its_own_message(run: Run, project: Path) -> None:
    (project / "broken.py").write_text(
        "from freehold.errors import ConfigurationError\nraise ConfigurationError('say this')\n"
    )
    assert run("routes", "broken").err == "freehold: say this\n"


def test_a_broken_pyproject_is_named(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.freehold\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml is not TOML"):
        target.load(None)


def test_the_working_directory_comes_first(project: Path) -> None:
    (project / "tiny.py").write_text(APP)
    target.load("tiny")
    assert sys.path[0] == str(project)

"""Run a command as the shell would, in a folder of its own."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from freehold.cli import main


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("FREEHOLD_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("FREEHOLD_ENV", "development")
    monkeypatch.setenv("COLUMNS", "200")
    before = set(sys.modules)
    gc.disable()  # or each command that loads an application would count first what the suite has frozen
    with mock.patch.dict(os.environ):  # what a command sets for its process ends with it
        yield tmp_path
    gc.enable()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def outcome(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["freehold", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return outcome

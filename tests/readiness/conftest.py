"""The projects that are audited, each copied, imported and looked at once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copytree

import pytest

from freehold.readiness import Report
from tests.readiness.looking import audit_of

PROJECTS = Path(__file__).parent / "projects"
collect_ignore = ["projects", "stand_ins"]

Audited = Callable[..., Report]


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The report on a copy of one of the projects, made once. extra: files to put beside, by name."""
    made: dict[str, Report] = {}

    def of(name: str, target: str = "main:app", extra: Mapping[str, str] | None = None) -> Report:
        if name not in made:
            folder = copytree(PROJECTS / name, tmp_path_factory.mktemp(name) / name)
            for path, content in (extra or {}).items():
                (folder / path).write_text(content)
            made[name] = audit_of(folder, target)
        return made[name]

    return of

"""Audit a project that lies in a folder, imported from there and forgotten afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from freehold.readiness import Report, audit

STAND_INS = Path(__file__).parent / "stand_ins"


@contextmanager
def imported(folder: Path, target: str) -> Iterator[Any]:
    """The application of a project, in its working directory; its modules have common names and go away again."""
    module, _, attribute = target.partition(":")
    before, path = set(sys.modules), list(sys.path)
    sys.path[:0] = [str(folder), str(STAND_INS)]
    try:
        with chdir(folder):
            yield getattr(import_module(module), attribute)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", "")).startswith((str(folder), str(STAND_INS))):
                del sys.modules[name]


def audit_of(folder: Path, target: str = "main:app") -> Report:
    with imported(folder, target) as app:
        return audit(folder, app=app)


def findings(report: Report) -> list[tuple[str, str, str]]:
    """Each finding as its rule, its file and the text of its line."""
    return [(each.rule.id, each.place.path, each.code) for each in report.findings]

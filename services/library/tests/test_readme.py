"""The README's walk-through, as written, against a real server on real data; and its figures."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from freehold.testing.serving import served

README = Path(__file__).parents[1] / "README.md"
ROOT = Path(__file__).parents[3]

# What the lines of the walk-through say, in order.
SAID = [
    "Suzanne Collins",
    "Gabriel García Márquez, Gregory Rabassa",
    "9780439023481",
    "2007",
    "the check digit is wrong",
    "2",
    "eng",
    "To Kill a Mockingbird",
    "1",
    "library.no_copy",
    "2",
    "204",
    "library.renewal_too_early",
    "returned",
    "library.loan_state",
    "available",
    "open",
    "shelve",
    "hours",
    "20",
    "library.overpaid",
    "0",
]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_walk_through_runs_as_written(tmp_path: Path) -> None:
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
    with served("services.library.app:app", cwd=ROOT, folder=tmp_path, demo="1") as address:
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", commands],
            env=os.environ | {"LIBRARY": address},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.strip().splitlines() == SAID, done.stdout


def test_the_lines_of_each_feature_are_counted() -> None:
    table = runpy.run_path(str(ROOT / "scripts/lines_per_feature.py"))["table"]
    shown = re.search(r"<!-- lines -->\n(.*?)\n<!-- end -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1] == table("library"), "put the output of `python scripts/lines_per_feature.py library` there"


def test_the_figures_are_those_that_were_measured() -> None:
    found = json.loads((ROOT / "bench/results/popular_books.json").read_text(encoding="utf-8"))["milliseconds"]
    shown = re.search(
        r"<!-- popular -->\n(.*?)\n<!-- end of popular -->", README.read_text(encoding="utf-8"), re.DOTALL
    )
    assert shown is not None
    table = runpy.run_path(str(ROOT / "bench/popular_books.py"))["table"]
    assert shown[1] == table(found)
    drawn = (ROOT / "docs/images/library/popular_books.svg").read_text(encoding="utf-8")
    assert all(
        f"{ways[way]['cpu']:,} ms" in drawn for sizes in found.values() for ways in sizes.values() for way in ways
    )

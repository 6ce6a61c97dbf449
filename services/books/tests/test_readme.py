"""The README: its walk-through as written, against a real server, and its counts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from freehold.testing.serving import served

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text(encoding="utf-8")
SAID = """
Middlemarch
Wuthering Heights
1905
again: 201
for Ivo: 404
455
True
403
5
books.reviewed
Evelina
"""


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_the_walk_through_runs_as_written(tmp_path: Path) -> None:
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    with served("services.books.app:app", cwd=HOME.parents[1], folder=tmp_path, demo="1") as address:
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", commands],
            env=os.environ | {"BOOKS": address},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.split("\n") == SAID.lstrip().split("\n")


@pytest.mark.parametrize("feature", ["books", "reviews"])
def test_the_lines_of_a_feature_are_counted(feature: str) -> None:
    files = [HOME / feature / f"{name}.py" for name in ("models", "schemas", "crud", "routes")]
    counted = [sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines()) for file in files]
    assert f"| {feature} | {' | '.join(map(str, counted))} |" in README

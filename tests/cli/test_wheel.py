"""The wheel is all that somebody has: `freehold new bookstore && cd bookstore && make serve`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from freehold.testing.serving import served

ROOT = Path(__file__).parents[2]


def call(*arguments: str | Path, cwd: Path) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "PYTEST_", "COV_"))}
    done = subprocess.run(arguments, cwd=cwd, env=kept, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.proof
@pytest.mark.timeout(400)
def test_the_wheel_alone_makes_a_project_that_serves(tmp_path: Path) -> None:
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("freehold-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # Its dependencies come from here, without a network; Freehold itself from the wheel, which is found first.
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    assert str(site) in call(python, "-c", "import freehold; print(freehold.__file__)", cwd=tmp_path)

    call(python.with_name("freehold"), "new", "bookstore", cwd=tmp_path)
    project = tmp_path / "bookstore"
    assert f"PYTHON := {python}" in (project / "local.mk").read_text()
    with served("bookstore.app:app", cwd=project, folder=tmp_path, python=str(python)) as address:
        assert call("curl", "-s", f"{address}/v1/books", cwd=project) == '{"items":[],"next_cursor":null}'

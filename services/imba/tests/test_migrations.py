"""The history of the schema: it leads to what is declared, on both databases, and back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(120)
def test_the_history_leads_to_the_declarations(own_url: str, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "IMBA_"))}
    environ |= {"FREEHOLD_DATABASE_URL": own_url, "FREEHOLD_VAR_DIR": str(tmp_path / "var")}

    def migrate(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "freehold.cli", "migrate", *arguments, "--app", "services.imba.app:app"]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    for step in ("up", "check", "down"):
        code, said = migrate(step)
        assert code == 0, f"{step}: {said}"

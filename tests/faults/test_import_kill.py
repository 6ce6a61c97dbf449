"""An import that is killed again and again: each row is there once at the end, and the counts are right."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
ROWS = 12_000
SHOP = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from freehold import Access, Base, Freehold, Resource, anyone, signed_in

class Part(Base):
    number: Mapped[str] = mapped_column(String(10))

app = Freehold(Resource(Part, access=Access(read=anyone, create=signed_in)))
"""


@pytest.mark.timeout(300)
def test_F01_killed_at_any_moment_it_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "parts.csv").write_text("number\n" + "".join(f"{number}\n" for number in range(ROWS)))
    database = tmp_path / "shop.db"
    known = os.environ | {"FREEHOLD_VAR_DIR": str(tmp_path), "FREEHOLD_DATABASE_URL": f"sqlite+aiosqlite:///{database}"}
    command = [
        sys.executable,
        "-m",
        "freehold.cli",
        "import",
        "parts.csv",
        "--resource",
        "parts",
        "--app",
        "shop:app",
        "--json",
    ]
    kills = 0
    while True:
        process = subprocess.Popen(command, cwd=tmp_path, env=known, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + random.uniform(2.0, 6.0)
        while process.poll() is None and time.monotonic() < ends and kills < 8:
            time.sleep(0.02)
        if process.poll() is None and kills < 8:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        told, _ = process.communicate()
        break
    assert process.returncode == 0
    assert (json.loads(told)["records"], json.loads(told)["created"]) == (ROWS, ROWS)
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT count(*), count(DISTINCT number) FROM parts").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert found == (ROWS, ROWS)
    assert kills > 0

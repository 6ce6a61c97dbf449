"""An import that is killed again and again, or carried out twice at once: each row is there once at the end."""

from __future__ import annotations

import csv
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
SHARED = 2_000
SHOP = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from freehold import Access, Base, Freehold, Resource, anyone, signed_in

class Part(Base):
    number: Mapped[str] = mapped_column(String(10))

app = Freehold(Resource(Part, access=Access(read=anyone, create=signed_in)))
"""
COMMAND = [
    *(sys.executable, "-m", "freehold.cli", "import", "parts.csv"),
    *("--resource", "parts", "--app", "shop:app", "--json"),
]


@pytest.mark.timeout(300)
def test_F01_killed_at_any_moment_it_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "parts.csv").write_text("number\n" + "".join(f"{number}\n" for number in range(ROWS)))
    database = tmp_path / "shop.db"
    known = os.environ | {"FREEHOLD_VAR_DIR": str(tmp_path), "FREEHOLD_DATABASE_URL": f"sqlite+aiosqlite:///{database}"}
    kills = 0
    while True:
        process = subprocess.Popen(COMMAND, cwd=tmp_path, env=known, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
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


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_import_one_file_and_each_row_is_there_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "parts.csv").write_text("number\n" + "".join(f"{number}\n" for number in range(SHARED)))
    url = f"sqlite+aiosqlite:///{tmp_path}/shop.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    known = os.environ | {"FREEHOLD_VAR_DIR": str(tmp_path), "FREEHOLD_DATABASE_URL": url}
    both = [
        subprocess.Popen(COMMAND, cwd=tmp_path, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    ended = sorted(process.returncode for process in both)
    assert ended in ([0, 0], [0, 2]), said
    assert all("in progress" in error for process, (_, error) in zip(both, said, strict=True) if process.returncode)
    again = subprocess.run(COMMAND, cwd=tmp_path, env=known, capture_output=True, text=True, check=False)
    told = json.loads(again.stdout)
    assert (told["records"], told["created"], told["was_done"]) == (SHARED, SHARED, True), (
        "without a key it is not taken twice"
    )
    exported = subprocess.run(
        [sys.executable, "-m", "freehold.cli", "export", "parts", "--app", "shop:app"],
        cwd=tmp_path, env=known, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(exported.stdout.splitlines()))
    assert sorted(int(row["number"]) for row in rows) == list(range(SHARED))

"""The README's walk-through, as written, against a real server on real data."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
ROOT = Path(__file__).parents[3]
ADDRESS = re.compile(r"is served at (http://\S+)")

# What the lines of the walk-through say, in order; None where an id or a time stands.
SAID = [
    "Ada Okafor",
    "anybody sees the draft: 404",
    "imba.not_verified",
    "pending",
    "approved",
    "approved",
    "listed",
    "Lighthouse keeper's cottage",
    "Anacortes",
    "Ben Lindqvist",
    None,  # the reservation's id
    None,  # the same, from the answer to the retry
    "imba.dates_taken",
    "confirmed",
    "imba.reservation_state",
    None,  # the busy range
    "14500",
    "pending",
    "43500",
    "moderate",
    "94350",
    "imba.price_changed",
    "Painting",
    "2",
    "15",
    "pending",
    None,  # the property's id
    "Anacortes",
    "2",
    "0",
    "true",
    "colour: There is no such parameter.",
    "1",
    "1",
    "revoked",
    "unlisted",
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Imba, served as `make serve` does, on a free port; its address."""
    command = [sys.executable, "-m", "freehold.cli", "serve", "services.imba.app:app", "--port", "0", "--demo", "1"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "IMBA_"))}
    log = tmp_path / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(  # our own command
            command, cwd=ROOT, env=kept | {"FREEHOLD_VAR_DIR": str(tmp_path / "var")}, stdout=out, stderr=out
        )
        try:
            yield _ready(process, log)
        finally:
            process.terminate()
            assert process.wait(40) == 0, log.read_text()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = ADDRESS.search(log.read_text())
        if found is not None and _answers(f"{found[1]}/health/ready"):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.mark.timeout(150)
def test_the_walk_through_runs_as_written(server: str) -> None:
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        env=os.environ | {"IMBA": server},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = done.stdout.strip().splitlines()
    assert len(said) == len(SAID), done.stdout
    wrong = [(line, expected) for line, expected in zip(said, SAID, strict=True) if expected not in (None, line)]
    assert wrong == []
    reservation = SAID.index(None)
    assert said[reservation] == said[reservation + 1]

"""The README's walk-through, as written, against a real server on real data."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.testing.serving import served

README = Path(__file__).parents[1] / "README.md"
ROOT = Path(__file__).parents[3]

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
    "In the shed, as much as you like.",
    "dismissed",
    "imba.blocked",
    "204",
    "de",
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
    with served("services.imba.app:app", cwd=ROOT, folder=tmp_path, demo="1") as address:
        yield address


@pytest.mark.long
@pytest.mark.timeout(600)
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

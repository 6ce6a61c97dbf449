"""The examples run, and say of themselves what is true."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ASK = """
import asyncio, importlib, sys
import httpx2

async def ask(app, paths):
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for path in paths:
                print((await client.get(path)).status_code)

asyncio.run(ask(importlib.import_module(sys.argv[1]).app, sys.argv[2:]))
"""


def answers(folder: Path, module: str, *paths: str) -> list[int]:
    """The statuses of a service in a process of its own: each example is a whole program."""
    environment = {**os.environ, "FREEHOLD_VAR_DIR": str(folder), "FREEHOLD_ENV": "test"}
    command = [sys.executable, "-c", ASK, module, *paths]
    done = subprocess.run(
        command, cwd=EXAMPLES.parent, env=environment, capture_output=True, text=True, timeout=50, check=True
    )
    return [int(line) for line in done.stdout.split()]


def test_the_smallest_service_serves_its_list_and_its_documents(tmp_path: Path) -> None:
    paths = ("/", "/v1/books", "/openapi.json", "/docs")
    assert answers(tmp_path, "examples.hello", *paths) == [200, 200, 200, 200]


def test_a_plain_feature_takes_at_most_sixty_lines_over_its_four_files() -> None:
    files = [EXAMPLES / "notes" / f"{name}.py" for name in ("models", "schemas", "crud", "routes")]
    lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
    assert len(lines) <= 60


@pytest.mark.long
def test_a_plain_feature_is_closed_to_those_who_are_nobody(tmp_path: Path) -> None:
    assert answers(tmp_path, "examples.notes.app", "/v1/notes", "/openapi.json") == [401, 200]


def test_the_first_program_of_the_readme_is_the_smallest_example() -> None:
    readme = (EXAMPLES.parent / "README.md").read_text()
    program = (EXAMPLES / "hello.py").read_text().partition("\n\n")[2]
    assert program.strip() in readme
    assert readme[: readme.index(program.strip())].count("\n") < 25

"""The plugin as a service meets it: a project of its own, run by pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
from freehold import Access, Base, Freehold, Resource, anyone, signed_in
from sqlalchemy.orm import Mapped

class Book(Base):
    title: Mapped[str]

app = Freehold(Resource(Book, access=Access(read=anyone, write=signed_in)))
"""
TESTS = """
import pytest
from shelf import Book
from freehold.observe.logs import get_logger
from freehold.testing import NOBODY, Scene, access_table, every_route_has_a_rule
from freehold.resource.principal import Principal

pytestmark = pytest.mark.anyio

@pytest.mark.parametrize("turn", range(3))
async def test_each_test_starts_empty(client, make, turn):
    assert (await client.get("/v1/books")).json()["items"] == []
    await make(Book, title="Dune")
    assert len((await client.get("/v1/books")).json()["items"]) == 1

async def test_somebody_writes(as_user, make, clock, app):
    from uuid import uuid4
    async with as_user(id=uuid4()) as me:
        answer = await me.post("/v1/books", json={"title": "Dune"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["created_at"] == "2026-01-05T09:00:00Z"
    assert app.settings.env == "test"

@pytest.mark.parametrize("turn", range(20))
def test_lines_stay_with_their_test(app, turn):
    get_logger("shelf").warning("a stray line")

def test_routes(app):
    assert every_route_has_a_rule(app)
"""


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_service_gets_its_fixtures_and_a_database_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "shelf.py").write_text(APP)
    (tmp_path / "test_shelf.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfreehold_app = shelf:app\npythonpath = .\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "25 passed" in done.stdout, done.stdout + done.stderr
    assert "a stray line" not in done.stdout + done.stderr
    assert not (tmp_path / "var").exists(), "tests leave the service's own data alone"

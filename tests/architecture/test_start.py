"""What a start imports: what one service does not need, no service pays for. Modules are counted, since times hang on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = """
import json, sys
from sqlalchemy.orm import Mapped
from freehold import Access, Base, Freehold, Resource, anyone, signed_in
import freehold.cli.entry

class Book(Base):
    title: Mapped[str]

app = Freehold(Resource(Book, access=Access(read=anyone, write=signed_in)))
print(json.dumps(sorted(sys.modules)))
"""
# Packages of others, each with its own, and parts of Freehold that commands and some features alone need.
NOT_YET = {
    "PIL", "aio_pika", "alembic", "babel", "cbor2", "httpcore", "httptools", "icalendar", "mako", "nats", "obstore",
    "opentelemetry.sdk", "redis", "segno", "sentry_sdk", "uvicorn", "uvloop", "webauthn",
    "freehold.backup", "freehold.calendar", "freehold.contract", "freehold.readiness", "freehold.store.migrate",
    "freehold.testing", "freehold.wording",
}  # fmt: skip
MOST = 1_700  # 1,595 with Python 3.11


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules of a small service that is about to be served."""
    folder = tmp_path_factory.mktemp("start")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "COVERAGE_"))}
    given = kept | {"FREEHOLD_ENV": "test", "FREEHOLD_SECRET": "s" * 40, "FREEHOLD_VAR_DIR": str(folder)}
    command = [sys.executable, "-c", SMALL]
    done = subprocess.run(command, cwd=folder, env=given, stdout=subprocess.PIPE, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return {".".join(name.split(".")[:length]) for name in found for length in (1, 2, 3)} | set(found)


def test_what_is_not_needed_is_not_imported(loaded: set[str]) -> None:
    assert "freehold.web.app" in loaded
    assert sorted(loaded & NOT_YET) == []


def test_the_modules_are_not_many_more(loaded: set[str]) -> None:
    assert len(loaded) < MOST


def test_what_is_looked_for_exists() -> None:
    own = {name for name in NOT_YET if name.startswith("freehold.")}
    source = Path(__file__).parents[2] / "src"
    assert [name for name in own if not any(source.glob(name.replace(".", "/") + "*"))] == []

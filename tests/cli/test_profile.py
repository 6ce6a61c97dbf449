"""`freehold profile`: served, loaded, and told by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

pytestmark = pytest.mark.long

APP = """
from sqlalchemy import MetaData
from sqlalchemy.orm import Mapped
from freehold import Access, Freehold, Resource, anyone, signed_in
from freehold.resource.base import Base as FreeholdBase

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData()

class Pear(Base):
    name: Mapped[str]

app = Freehold(Resource(Pear, access=Access(read=READ, create=signed_in)))
"""


@pytest.mark.timeout(240)
def test_the_steps_of_a_request_are_told_and_drawn(run: Run, project: Path) -> None:
    (project / "orchard.py").write_text(APP.replace("READ", "anyone"), encoding="utf-8")
    done = run("profile", "orchard:app", "--seconds", "0.5", "--connections", "4", "--json", "--flame", "flame.svg")
    assert done.status == 0, done.err
    found = json.loads(done.out[done.out.index("{") :])
    assert found["requests"] > 0
    assert found["answers"] == f"{found['requests']} times 200"
    assert found["statements_of_one"] >= 1
    assert {"edge", "statement"} <= {each["step"] for each in found["steps"]}
    assert "<svg" in (project / "flame.svg").read_text(encoding="utf-8")


def test_a_service_that_shows_nothing_to_strangers_has_to_be_told_what_to_ask(run: Run, project: Path) -> None:
    (project / "orchard2.py").write_text(APP.replace("READ", "signed_in"), encoding="utf-8")
    done = run("profile", "orchard2:app")
    assert done.status == 2
    assert "--path" in done.err


def test_a_path_without_its_slash_is_no_request(run: Run, project: Path) -> None:
    (project / "orchard3.py").write_text(APP.replace("READ", "anyone"), encoding="utf-8")
    done = run("profile", "orchard3:app", "--path", "v1/pears", "--seconds", "0.1")
    assert (done.status, done.err) == (2, "freehold: --path begins with a slash: /v1/pears\n")

"""`freehold jobs` and the refusals of `freehold worker`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from freehold.cli.target import load
from freehold.resource.clock import now
from freehold.resource.principal import system
from freehold.store.schema import create_missing

Run = Callable[..., Any]
OVENS = """
from sqlalchemy.orm import Mapped
from sqlalchemy import MetaData
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold import Access, Freehold, Resource, Session, anyone, job
from freehold.jobs import Queue

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)

class Oven(Base):
    __tablename__ = "cli_ovens"
    name: Mapped[str]

@job("ovens.heat", retries=0, queue=Queue("heat"))
async def heat(db: Session, *, degrees: int) -> None:
    raise RuntimeError("too hot")

@job("ovens.clean")
async def clean(db: Session) -> None: ...

app = Freehold(Resource(Oven, name="ovens", access=Access(read=anyone)), jobs=[heat, clean], title="Ovens")
"""


@pytest.fixture
def ovens(project: Path) -> Path:
    (project / "ovens.py").write_text(OVENS)
    (project / "pyproject.toml").write_text('[tool.freehold]\napp = "ovens:app"\n')
    return project


@pytest.fixture
def filled(ovens: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Three dead jobs, and some that wait."""

    async def fill() -> None:
        app: Any = load(None)
        module = sys.modules["ovens"]
        await app.database.start()
        await create_missing(app.database, app.all_metadata)
        async with app.database.writing(system("test")) as unit:
            for degrees in (200, 220, 240):
                await module.heat.enqueue(unit.session, degrees=degrees)
        await app.jobs.run_pending()
        async with app.database.writing(system("test")) as unit:
            await module.clean.enqueue(unit.session, order="a")
            await module.clean.enqueue(unit.session, order="a")
            await module.clean.enqueue(unit.session, run_at=now() + timedelta(hours=1))
        await app.database.close()

    asyncio.run(fill())
    capsys.readouterr()  # the log of their deaths
    return ovens


def test_J03_what_waits_and_what_is_dead_is_seen(run: Run, filled: Path) -> None:
    told = json.loads(run("jobs", "--json").out)
    left = [[each[name] for name in ("name", "queue", "due", "later", "behind", "running", "dead")] for each in told]
    assert left == [["ovens.clean", "default", 1, 1, 1, 0, 0], ["ovens.heat", "heat", 0, 0, 0, 0, 3]]
    table = run("jobs")
    assert [line.split()[:2] for line in table.out.splitlines()] == [
        ["NAME", "QUEUE"],
        ["ovens.clean", "default"],
        ["ovens.heat", "heat"],
    ]


def test_J03_dead_jobs_are_listed_retried_and_discarded(run: Run, filled: Path) -> None:
    letters = json.loads(run("jobs", "dead", "--json").out)
    assert {(each["name"], each["attempts"], each["error"]) for each in letters} == {
        ("ovens.heat", 1, "RuntimeError: too hot")
    }
    assert "payload" not in letters[0]
    first, second, _ = (each["id"] for each in letters)
    assert run("jobs", "retry", first).out == "1 job retried\n"
    again = run("jobs", "retry", first, second)
    assert (again.status, again.out) == (2, "1 job retried\n")
    assert "1 of the ids are of no dead job" in again.err
    assert json.loads(run("jobs", "discard", "--all", "--name", "ovens.heat", "--yes", "--json").out) == {
        "discarded": 1
    }
    assert run("jobs", "dead").out == "No job is dead.\n"
    (heat,) = [each for each in json.loads(run("jobs", "--json").out) if each["name"] == "ovens.heat"]
    assert (heat["due"], heat["dead"]) == (2, 0)


@pytest.mark.parametrize("arguments", [["retry"], ["discard", "--name", "ovens.heat"]])
def test_which_ones_has_to_be_said(run: Run, ovens: Path, arguments: list[str]) -> None:
    refused = run("jobs", *arguments)
    assert refused.status == 2
    assert "or give --all" in refused.err


def test_a_worker_is_for_a_service_that_runs_its_jobs_apart(run: Run, ovens: Path) -> None:
    refused = run("worker")
    assert refused.status == 2
    assert "Set FREEHOLD_JOBS=apart for them and for the workers" in refused.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--queues", "heat,light"], "No job is declared for the queue light; there are: default, heat."),
        (["--concurrency", "9"], "--concurrency 9: a job may hold a database connection, and a process has 8"),
    ],
)
def test_a_worker_says_what_is_wrong_before_it_starts(
    run: Run, ovens: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.setenv("FREEHOLD_JOBS", "apart")
    monkeypatch.setenv("FREEHOLD_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    refused = run("worker", *arguments)
    assert refused.status == 2
    assert told in refused.err

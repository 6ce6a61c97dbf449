"""`freehold user`, `api-keys`, `clients`, `keys`, `migrate`, `jobs` and `audit` for an application that Freehold was installed in."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from freehold.cli.entry import app as command_line
from freehold.errors import ConfigurationError

APPLICATION = """
from pathlib import Path

from fastapi import FastAPI
from freehold import Base as FreeholdBase
from freehold import Access, Identity, Resource, UserMixin, install, role, signed_in
from freehold.identity import Cost, Pages
from freehold.identity.provider import Provider
from freehold.resource.base import NAMING
from freehold.settings import Settings
from freehold.web.install_resources import Resources
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapped


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Guest(UserMixin, Base):
    __tablename__ = "installed_guests"


class Room(Base):
    __tablename__ = "installed_rooms"
    name: Mapped[str]


app, bare, plain = FastAPI(title="Guests"), FastAPI(title="Bare"), FastAPI(title="Plain")
settings = Settings(env="test", secret="s" * 40, var_dir=Path("var"))
identity = Identity(user=Guest, cost=Cost(memory_kib=64, passes=1), pages=Pages(), provider=Provider())
rooms = Resource(Room, access=Access(read=signed_in, create=role("landlord")))
install(
    app,
    create_async_engine("sqlite+aiosqlite:///var/guests.db"),
    identity=identity,
    settings=settings,
    resources=Resources(declared=[rooms], secret="r" * 40),
)


@bare.get("/hello")
async def hello() -> str:
    return "hello"


install(bare, create_async_engine("sqlite+aiosqlite:///var/bare.db"))
"""
PASSWORD = "lantern quarry velvet 42"
Run = Callable[..., str]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("installed")
    (made / "installed_guests_app.py").write_text(APPLICATION)
    return made


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)

    def inner(*arguments: str, app: str = "app", typed: str = "", code: int = 0) -> str:
        named = [*arguments, "--app", f"installed_guests_app:{app}"]
        result = CliRunner().invoke(command_line, named, input=typed)
        if isinstance(result.exception, ConfigurationError):
            return f"refused: {result.exception}"
        assert result.exit_code == code, (result.output, result.exception)
        return result.output

    return inner


def test_accounts_keys_clients_and_signing_keys(run: Run) -> None:
    added = run("user", "add", "ada@example.com", "--role", "admin", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "ada@example.com" in added
    assert "has an account already" in run("user", "add", "ada@example.com", "--password-stdin", typed=f"{PASSWORD}\n")
    roles = {row["email"]: row["roles"] for row in json.loads(run("user", "list", "--json"))}
    assert roles["ada@example.com"] == ["admin"]
    assert "fh" in run("api-keys", "add", "nightly", "--scope", "reports")
    assert "nightly" in run("api-keys", "list")
    made = json.loads(
        run("clients", "add", "Planner", "--redirect", "https://planner.example/cb", "--scope", "openid", "--json")
    )
    assert made["client_secret"]
    assert made["client_id"] in run("clients", "list", "--json")
    assert len(run("keys", "rotate").splitlines()) == 2


def test_what_has_no_accounts_is_told_what_it_lacks(run: Run) -> None:
    assert "install(..., identity=Identity(...))" in run("user", "list", app="bare")
    assert "is a plain FastAPI app" in run("user", "list", app="plain")
    assert "is a plain FastAPI app" in run("migrate", "check", app="plain")
    assert "made by Freehold(...)" in run("roles")
    assert "is a plain FastAPI app" in run("explain-access", "anonymous", "GET", "/", app="plain")
    assert "install(..., identity=Identity(...))" in run(
        "explain-access", "ada@example.com", "GET", "/hello", app="bare"
    )
    assert "is a plain FastAPI app" in run("jobs", app="plain")


def test_why_a_caller_is_refused(run: Run) -> None:
    run("user", "add", "iris@example.com", "--role", "tenant", "--password-stdin", typed=f"{PASSWORD}\n")
    refused = run("explain-access", "iris@example.com", "POST", "/v1/installed-rooms")
    assert "iris@example.com (roles: tenant)" in refused
    assert "verdict    403: no row could make the rule hold" in refused
    assert json.loads(run("explain-access", "anonymous", "GET", "/v1/installed-rooms", "--json"))["status"] == 401
    rooms = sys.modules["installed_guests_app"].Base.metadata.tables["installed_rooms"]
    rooms.create(create_engine("sqlite:///var/guests.db"), checkfirst=True)  # the application's own to make
    missing = run(
        "explain-access", "iris@example.com", "GET", "/v1/installed-rooms/0192aaaa-0000-7000-8000-000000000000"
    )
    assert "404: there is no such row, for anyone" in missing
    assert "200: allowed" in run("explain-access", "anonymous", "POST", "/v1/auth/token")
    assert "No operation answers" in run("explain-access", "anonymous", "GET", "/nowhere")


def test_jobs_and_the_trail(run: Run) -> None:
    run("user", "add", "eve@example.com", "--password-stdin", typed=f"{PASSWORD}\n")
    told = json.loads(run("audit", "verify", "--json"))
    assert told["whole"]
    assert told["waiting"] >= 1
    assert "freehold.mail" in run("jobs", "--json")
    assert "No job is dead." in run("jobs", "dead")
    assert "0 jobs retried" in run("jobs", "retry", "--all")
    assert run("jobs", "--once", app="bare") is not None


@pytest.mark.long
def test_migrations(run: Run, folder: Path) -> None:
    (folder / "var" / "guests.db").unlink(missing_ok=True)
    assert "at no revision" in run("migrate", "check", code=1)
    assert "Freehold's own tables are up to date" in run("migrate", "up")
    assert "agree" in run("migrate", "check")
    assert "written" in run("migrate", "make", "first")
    run("migrate", "up")
    tables = {
        name for (name,) in sqlite3.connect(folder / "var" / "guests.db").execute("SELECT name FROM sqlite_master")
    }
    assert {"installed_guests", "freehold_audit"} <= tables
    assert "agree" in run("migrate", "check")
    with sqlite3.connect(folder / "var" / "guests.db") as others:
        others.execute("CREATE TABLE bookings (id INTEGER PRIMARY KEY)")
    assert "agree" in run("migrate", "check"), "a table that Freehold was not told of is none of its business"
    (folder / "migrations" / "env.py").write_text("from alembic import context\n")
    assert "a history of the application's own" in run("migrate", "make", "second")
    assert "Freehold's own tables are up to date" in run("migrate", "up")

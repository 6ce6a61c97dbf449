"""The commands that only read: settings, routes, openapi; and how a refusal looks."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from freehold.mail import FileMail, Mail
from freehold.resource.base import new_id
from freehold.settings import Settings

Run = Callable[..., Any]
BOOKS = """
from sqlalchemy.orm import Mapped
from sqlalchemy import MetaData
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold import Access, Freehold, Resource, anyone, role

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)

class Book(Base):
    __tablename__ = "cli_books"
    title: Mapped[str]

app = Freehold(Resource(Book, name="books", access=Access(read=anyone, create=role("editor"))), title="Books")
"""
PLAIN = """
from fastapi import FastAPI
app = FastAPI(title="Plain", docs_url=None, redoc_url=None, openapi_url=None)

@app.get("/things/{thing_id}")
def thing(thing_id: int) -> int:
    return thing_id
"""
ROOT = Path(__file__).resolve().parents[2]


class TestSettings:
    def test_as_a_table(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FREEHOLD_LIMITS", "x9")
        printed = run("settings")
        assert printed.status == 0
        assert [line for line in printed.out.splitlines() if line.split()[:2] == ["FREEHOLD_LIMITS", "x9"]]

    def test_as_json_with_secrets_masked(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FREEHOLD_SECRET", "a-secret-that-nobody-may-see-0123456789")
        monkeypatch.setenv("FREEHOLD_DATABASE_URL", "postgresql://u:nobody-may-see@db/app")
        printed = run("settings", "--json")
        rows = {row["name"]: row for row in json.loads(printed.out)}
        assert set(rows) == {Settings.variable(field) for field in Settings.model_fields}
        assert rows["FREEHOLD_SECRET"]["value"] == "********"
        assert rows["FREEHOLD_DATABASE_URL"]["value"] == "postgresql+asyncpg://u:***@db/app"
        assert "nobody-may-see" not in printed.out

    def test_a_services_own_are_listed_too(self, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (project / "bakery.py").write_text(
            "from freehold.settings import ServiceSettings\n"
            "class Bakery(ServiceSettings, prefix='BAKERY_'):\n"
            "    ovens: int = 2\n"
        )
        (project / "pyproject.toml").write_text('[tool.freehold]\nsettings = ["bakery:Bakery"]\n')
        monkeypatch.setenv("BAKERY_OVENS", "5")
        rows = {row["name"]: row["value"] for row in json.loads(run("settings", "--json").out)}
        assert rows["BAKERY_OVENS"] == "5"
        assert "#BAKERY_OVENS=2" in run("settings", "--example").out

    def test_what_is_no_settings_class_is_refused(self, run: Run, project: Path) -> None:
        (project / "bakery.py").write_text("Bakery = dict\n")
        (project / "pyproject.toml").write_text('[tool.freehold]\nsettings = ["bakery:Bakery"]\n')
        printed = run("settings")
        assert (printed.status, printed.out) == (2, "")
        assert "bakery:Bakery is not a subclass of ServiceSettings" in printed.err

    def test_F14_a_refusal_is_a_message_and_status_2_without_a_traceback(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FREEHOLD_WORKER", "2")
        printed = run("settings")
        assert (printed.status, printed.out) == (2, "")
        assert printed.err == "freehold: FREEHOLD_WORKER is not a setting. Did you mean FREEHOLD_WORKERS?\n"

    @pytest.mark.long
    def test_the_example_in_the_repository_is_up_to_date(self) -> None:
        made = subprocess.run(
            [sys.executable, "-m", "freehold.cli", "settings", "--example"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (ROOT / ".env.example").read_text() == made.stdout, "run make env-example"


class TestRoutes:
    def test_each_operation_has_its_access_rule(self, run: Run, project: Path) -> None:
        (project / "books.py").write_text(BOOKS)
        rows = {(row["method"], row["path"]): row for row in json.loads(run("routes", "books", "--json").out)}
        assert rows["GET", "/v1/books"]["access"] == "anyone"
        assert rows["POST", "/v1/books"]["access"] == "role('editor')"
        assert rows["POST", "/v1/books"]["operation"] == "create_book"
        assert rows["GET", "/v1/books/{id}"]["compiled"] == "yes"
        assert rows["POST", "/v1/books"]["compiled"] == "yes"
        assert ("DELETE", "/v1/books/{id}") not in rows
        assert not [path for _, path in rows if path.startswith(("/docs", "/redoc", "/health", "/problems"))]
        shown = {row["path"]: row for row in json.loads(run("routes", "books", "--json", "--all").out)}
        assert shown["/health/live"]["access"] == ""
        assert {"/docs", "/docs/assets/redoc.css", "/openapi.json", "/v1/books"} <= set(shown)

    def test_without_a_terminal_each_is_one_line_and_empty_columns_are_left_out(
        self, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "40")
        (project / "books.py").write_text(BOOKS)
        rows, lines = json.loads(run("routes", "books", "--json").out), run("routes", "books").out.splitlines()
        assert len(lines) == 1 + len(rows)
        assert all(row["path"] in line and row["access"] in line for row, line in zip(rows, lines[1:], strict=True))
        assert lines[0].split() == [name.upper() for name in rows[0] if any(row[name] for row in rows)]

    def test_a_plain_fastapi_app_has_routes_without_rules(self, run: Run, project: Path) -> None:
        (project / "plain.py").write_text(PLAIN)
        rows = json.loads(run("routes", "plain", "--json").out)
        assert rows == [
            {
                "method": "GET",
                "path": "/things/{thing_id}",
                "operation": "thing",
                "access": "",
                "limits": "",
                "cache": "",
                "compiled": "",
            }
        ]
        assert "/things/{thing_id}" in run("routes", "plain").out


class TestOpenapi:
    def test_to_standard_output_and_to_a_file_with_the_same_bytes(self, run: Run, project: Path) -> None:
        (project / "plain.py").write_text(PLAIN)
        printed = run("openapi", "plain")
        assert json.loads(printed.out)["info"]["title"] == "Plain"
        assert run("openapi", "plain", "--output", "api.json").out == ""
        assert (project / "api.json").read_text() == printed.out


class TestMail:
    @pytest.fixture
    def folder(self, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        (project / "shop.py").write_text('from freehold import Freehold\napp = Freehold(title="Shop")\n')
        monkeypatch.setenv("FREEHOLD_VAR_DIR", str(tmp_path / "var"))
        return tmp_path / "var" / "mail"

    def test_letters_are_listed_and_shown(self, run: Run, folder: Path) -> None:
        assert "No letter" in run("mail", "list", "--app", "shop").out
        for hour, subject, html in ((1, "First", None), (2, "Grüße", "<p>Hi</p>")):
            sent_at = datetime(2026, 3, 1, hour, tzinfo=UTC)
            words = {"sender": "b@books.test", "to": "a@example.test", "subject": subject, "text": "One", "html": html}
            asyncio.run(FileMail(folder).deliver(Mail(id=new_id(), sent_at=sent_at, **words).message()))
        rows = json.loads(run("mail", "list", "--json", "--app", "shop").out)
        assert [(row["subject"], row["sent_at"]) for row in rows] == [
            ("Grüße", "2026-03-01T02:00:00Z"),
            ("First", "2026-03-01T01:00:00Z"),
        ]
        assert "Grüße" in run("mail", "list", "--limit", "1", "--app", "shop").out
        shown = run("mail", "show", rows[1]["name"], "--app", "shop").out
        assert "Subject: First" in shown
        assert shown.endswith("\n\nOne\n")
        assert run("mail", "show", "--html", "--app", "shop").out.strip() == "<p>Hi</p>"
        newest = json.loads(run("mail", "show", "--json", "--app", "shop").out)
        assert (newest["text"], newest["html"], newest["headers"]["To"]) == ("One\n", "<p>Hi</p>\n", "a@example.test")

    def test_what_is_not_there_is_said(self, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = run("mail", "show", "x", "--app", "shop")
        assert (refused.status, refused.err) == (2, "freehold: There is no letter x.\n")


@pytest.mark.parametrize(
    "command", ["routes", "openapi", "settings", "migrate check", "user list", "add resource", "explain-access"]
)
def test_help_names_the_table_of_pyproject_toml(run: Run, command: str) -> None:
    """The terminal's markup takes what stands in brackets for a style, and leaves it out."""
    assert "[tool.freehold]" in " ".join(run(*command.split(), "--help").out.split())

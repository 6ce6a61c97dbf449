"""`freehold user`, `freehold explain-access` and `freehold migrate` on a small service."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from uuid import UUID

import pytest

from freehold.cli import main
from freehold.store.audit_sealing import seal_pending
from freehold.store.database import Database

# Passwords are hashed as in production, and the schema commands are processes: long on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PASSWORD = "lantern quarry velvet 42"
SHELF = """
from uuid import UUID
from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import Mapped, mapped_column
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold import Access, Db, Freehold, Identity, Resource, Router, UserMixin, allow, owner, recent, role, signed_in, with_factor

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)

class ShelfUser(UserMixin, Base):
    __tablename__ = "shelf_users"

class ShelfNote(Base):
    __tablename__ = "shelf_notes"
    title: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("shelf_users.id"), index=True)

router = Router(prefix="/v1/reports")

@router.get("/sales", dependencies=[allow(role("admin"))])
async def sales(db: Db) -> int:
    return 1

@router.get("/audits", dependencies=[allow(role("admin") & recent(minutes=5) & with_factor)])
async def audits(db: Db) -> int:
    return 1

notes = Resource(
    ShelfNote, name="notes",
    access=Access(read=owner("owner_id") | role("admin"), create=signed_in, update=owner("owner_id")),
)
identity = Identity(user=ShelfUser, roles=["admin", "editor"])
app = Freehold(notes, identity=identity, routers=[router], title="Shelf")
"""


class Shelf:
    """The service, made once for this module: a table is declared once in a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "shelf.py").write_text(SHELF)
        (folder / "pyproject.toml").write_text('[tool.freehold]\napp = "shelf:app"\n')

    def run(self, *arguments: str, stdin: str = "", status: int = 0) -> str:
        """What a command prints that has to end with `status`: its output, or the refusal."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["freehold", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            with pytest.raises(SystemExit) as ended:
                main()
        assert int(ended.value.code or 0) == status, err.getvalue()
        return out.getvalue() if status == 0 else err.getvalue()

    def process(self, *arguments: str, status: int = 0) -> str:
        """The same as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "freehold.cli", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if status == 0 else done.stderr

    def add(self, email: str, *roles: str) -> str:
        flags = [part for role in roles for part in ("--role", role)]
        return self.run("user", "add", email, "--password-stdin", *flags, stdin=f"{PASSWORD}\n").split()[0]

    def users(self) -> dict[str, dict[str, object]]:
        return {row["email"]: row for row in json.loads(self.run("user", "list", "--json"))}

    def explain(self, caller: str, method: str, path: str, *options: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(self.run("explain-access", caller, method, path, "--json", *options))
        return answer


@pytest.fixture(scope="session")
def shelf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same when a process comes back to this module after another one: what it has imported stays."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def shelf(shelf_folder: Path) -> Iterator[Shelf]:
    folder = shelf_folder
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("FREEHOLD_")]:
            patch.delenv(name)
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        yield Shelf(folder)


def test_accounts_are_added_given_roles_disabled_and_listed(shelf: Shelf) -> None:
    user_id = shelf.add("ada@example.com", "admin")
    assert UUID(user_id)
    assert shelf.users()["ada@example.com"] == {
        "id": user_id,
        "email": "ada@example.com",
        "full_name": "ada",
        "roles": ["admin"],
        "is_active": True,
        "is_verified": False,
    }
    shelf.run("user", "roles", "ADA@example.com", "editor")
    shelf.run("user", "disable", user_id)
    ada = shelf.users()["ada@example.com"]
    assert (ada["roles"], ada["is_active"]) == (["editor"], False)
    shelf.run("user", "enable", "ada@example.com")
    assert shelf.users()["ada@example.com"]["is_active"] is True


def test_the_rules_of_a_registration_hold_here_too(shelf: Shelf) -> None:
    shelf.add("amy@example.com")
    add = ("user", "add")
    assert "has an account" in shelf.run(*add, "Amy@Example.com", "--generate", status=2)
    assert "at least 15 characters" in shelf.run(
        *add, "ben@example.com", "--password-stdin", stdin="too short\n", status=2
    )
    assert "not an e-mail address" in shelf.run(*add, "bob", "--generate", status=2)
    assert "no such role" in shelf.run(*add, "ben@example.com", "--generate", "--role", "king", status=2)
    assert "There is no account ben@example.com" in shelf.run("user", "disable", "ben@example.com", status=2)
    assert "ben@example.com" not in shelf.users()  # a refused role took the account back with it


def test_K02_keys_of_the_service_are_made_rotated_and_revoked(shelf: Shelf) -> None:
    made = shelf.run("api-keys", "add", "stock import", "--role", "editor", "--from", "203.0.113.9", "--days", "30")
    key_id, key = made.split()[:2]
    listed = json.loads(shelf.run("api-keys", "list", "--json"))
    assert [(row["id"], row["name"], row["roles"]) for row in listed] == [(key_id, "stock import", ["editor"])]
    assert listed[0]["address_ranges"] == ["203.0.113.9/32"]
    assert key.startswith(listed[0]["prefix"])
    assert key not in json.dumps(listed)
    fresh = shelf.run("api-keys", "rotate", key_id, "--overlap-hours", "0").split()[0]
    shelf.run("api-keys", "revoke", fresh)
    assert json.loads(shelf.run("api-keys", "list", "--json")) == []
    assert "Not found" in shelf.run("api-keys", "revoke", fresh, status=2)
    assert "--from" in shelf.run("api-keys", "add", "x", "--from", "nowhere", status=2)
    assert "scope 'account'" in shelf.run("api-keys", "add", "x", "--scope", "account", status=2)


def test_explain_access_says_which_part_of_the_rule_decides(shelf: Shelf) -> None:
    ada, bob = shelf.add("ann@example.com", "admin"), shelf.add("bill@example.com")
    note = "01890000-0000-7000-8000-000000000001"
    with sqlite3.connect(shelf.folder / "var" / "freehold.db") as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(shelf_notes)")]
        values = {"id": UUID(note).hex, "title": "A note", "owner_id": UUID(bob).hex, "row_version": 1}
        row = [values.get(name, "2026-01-01 00:00:00.000000") for name in names]
        database.execute(f"INSERT INTO shelf_notes VALUES ({', '.join('?' * len(row))})", row)
    assert ada != bob
    path = f"/v1/notes/{note}"
    assert shelf.explain("bill@example.com", "PATCH", path)["status"] == 200
    assert shelf.explain("ann@example.com", "PATCH", path)["status"] == 403
    assert shelf.explain("anonymous", "GET", path)["status"] == 401
    shelf.add("eve@example.com")
    hidden = shelf.explain("eve@example.com", "GET", path)
    assert (hidden["status"], hidden["reason"]) == (404, "the caller may not read the row")
    assert hidden["rules"] == [
        {
            "verb": "read",
            "rule": "owner('owner_id') | role('admin')",
            "atoms": [
                {"text": "owner('owner_id')", "answer": "does not hold"},
                {"text": "role('admin')", "answer": "does not hold"},
            ],
        }
    ]
    absent = shelf.explain("bill@example.com", "GET", "/v1/notes/01890000-0000-7000-8000-00000000000f")
    assert (absent["status"], absent["reason"]) == (404, "there is no such row, for anyone")
    assert shelf.explain("bill@example.com", "GET", "/v1/reports/sales")["status"] == 403
    assert "No operation answers DELETE" in shelf.run("explain-access", "anonymous", "DELETE", path, status=2)


def test_explain_access_says_what_kind_of_log_in_a_rule_asks_for(shelf: Shelf) -> None:
    shelf.add("flo@example.com", "admin")
    path, both = "/v1/reports/audits", "the rule asks for a log-in of the last 300 seconds and with a second factor"
    asked: list[tuple[list[str], int, str]] = [
        ([], 401, both),
        (["--minutes-ago", "6"], 401, both),
        (["--minutes-ago", "4"], 401, "the rule asks for a log-in with a second factor"),
        (["--factor"], 401, "the rule asks for a log-in of the last 300 seconds"),
        (["--factor", "--minutes-ago", "4"], 200, "allowed"),
    ]
    for options, status, reason in asked:
        told = shelf.explain("flo@example.com", "GET", path, *options)
        assert (told["status"], told["reason"]) == (status, reason), options
    shelf.add("joe@example.com")
    assert shelf.explain("joe@example.com", "GET", path)["status"] == 403
    assert shelf.explain("anonymous", "GET", path, "--factor")["status"] == 401


def test_the_second_factors_of_who_has_lost_them_are_removed(shelf: Shelf) -> None:
    shelf.add("lou@example.com")
    assert "no second factors" in shelf.run("user", "reset-factors", "lou@example.com")
    assert "There is no account" in shelf.run("user", "reset-factors", "nobody@example.com", status=2)


def test_E05_audit_verify_walks_the_chain_and_names_the_first_broken_place(shelf: Shelf) -> None:
    identity = shelf.add("seal@example.com")
    shelf.run("user", "roles", identity, "editor")
    told = json.loads(shelf.run("audit", "verify", "--json"))
    assert told["whole"] is True
    assert told["first_fault"] is None
    assert told["waiting"] > 0
    key = (shelf.folder / "var" / "secret").read_text().strip().encode()

    async def seal() -> int:
        database = Database.open(f"sqlite+aiosqlite:///{shelf.folder}/var/freehold.db")
        await database.start()
        try:
            return await seal_pending(database, key=key)
        finally:
            await database.close()

    sealed = asyncio.run(seal())
    assert sealed == told["waiting"]
    assert f"the chain is whole: {sealed} records sealed, 0 waiting" in shelf.run("audit", "verify")
    with sqlite3.connect(shelf.folder / "var" / "freehold.db") as database:
        for event in ("update", "delete"):
            database.execute(f"DROP TRIGGER freehold_audit_{event}")
        database.execute("UPDATE freehold_audit SET action = 'user.nothing' WHERE sequence = 2")
    assert "broken at record 2: record 2 (" in shelf.run("audit", "verify", status=1)
    shelf.run("audit", "verify", "--json", status=1)


def test_all_data_moves_to_an_empty_database(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.add("move@example.com", "editor")
    monkeypatch.setenv("FREEHOLD_COPY_TO", f"sqlite+aiosqlite:///{tmp_path}/other.db")
    copied = json.loads(shelf.run("copy", "--json"))
    with sqlite3.connect(tmp_path / "other.db") as database:
        for table, rows in copied.items():
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (rows,)
        emails = {row[0] for row in database.execute("SELECT email FROM shelf_users")}
    assert "move@example.com" in emails
    assert copied["freehold_audit"] > 0
    assert "not empty" in shelf.run("copy", status=2)
    assert "same database" in shelf.run("copy", "--to", f"sqlite+aiosqlite:///{shelf.folder}/var/freehold.db", status=2)
    refused = shelf.run("copy", "--to", "postgresql+asyncpg://me:hunter22@127.0.0.1:1/none", status=2)
    assert "hunter22" not in refused


def test_T12_keys_are_rotated_from_the_command_line(shelf: Shelf) -> None:
    shelf.add("keys@example.com")
    states = [line.split() for line in shelf.run("keys", "rotate").splitlines()]
    assert [state for _, state in states] == ["active", "next"]
    assert shelf.run("keys", "rotate").split() == [part for each in states for part in each]  # not before its time
    ((kid, state),) = [line.split() for line in shelf.run("keys", "rotate", "--now").splitlines()]
    assert (kid, state) == (states[1][0], "active")  # and the one that leaked verifies nothing any more


# The same commands run in this process in tests/cli/test_roles.py.
@pytest.mark.long
def test_a_schema_is_made_checked_and_applied(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.process("migrate", "make", "first")
    assert len(list((tmp_path / "migrations" / "versions").glob("*_first_*.py"))) == 1
    assert "freehold migrate up" in shelf.process("migrate", "check", status=1)
    shelf.process("migrate", "up")
    assert "agree" in shelf.process("migrate", "check")

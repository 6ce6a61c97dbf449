"""`freehold clients`: the applications of a provider."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from freehold.cli.entry import app as command_line
from freehold.errors import ConfigurationError

SERVICE = """
from freehold import Freehold, Identity
from freehold.identity import Pages, UserMixin
from freehold.identity.provider import Provider
from sqlalchemy import MetaData
from freehold import Base as FreeholdBase

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData()

class Person(UserMixin, Base):
    __tablename__ = "people"

app = Freehold(identity=Identity(user=Person, pages=Pages(), provider=Provider(scopes={"notes:read": "Read"})))
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "provider_of_clients.py").write_text(SERVICE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FREEHOLD_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("FREEHOLD_LOG_LEVEL", "error")

    def inner(*arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(command_line, ["clients", *arguments, "--app", "provider_of_clients:app"])
        if fails:
            assert isinstance(result.exception, ConfigurationError), result.output
            return str(result.exception)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    return inner


def test_clients_are_added_listed_rotated_and_removed(run) -> None:
    added = json.loads(run("add", "Planner", "--redirect", "https://p.example/cb", "--scope", "notes:read", "--json"))
    assert re.fullmatch(r"fhc_[A-Za-z0-9_-]{43}", added["client_secret"])
    public = run("add", "Phone", "--public", "--redirect", "com.example.phone:/cb", "--scope", "openid")
    assert "client_id" in public and "client_secret" not in public
    listed = json.loads(run("list", "--json"))
    assert [(each["name"], each["kind"]) for each in listed] == [("Phone", "public"), ("Planner", "confidential")]
    assert added["client_secret"] not in run("list")
    assert re.search(r"fhc_[A-Za-z0-9_-]{43}", run("rotate", added["client_id"]))
    run("remove", added["client_id"])
    assert [each["name"] for each in json.loads(run("list", "--json"))] == ["Phone"]


def test_what_cannot_be_registered_is_refused_in_a_sentence(run) -> None:
    assert "https" in run("add", "X", "--redirect", "http://evil.example/", fails=True)
    assert "Known scopes" in run("add", "X", "--redirect", "https://p.example/", "--scope", "account", fails=True)
    assert "account" in run("add", "X", "--grant", "client_credentials", fails=True)

"""`freehold import`: rows, reasons and exit statuses, as a person and as a program meet them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SHOP = """
from sqlalchemy import MetaData, String
from sqlalchemy.orm import Mapped, mapped_column
from freehold import Base as FreeholdBase
from freehold.resource.base import NAMING
from freehold import Access, Freehold, Resource, anyone, signed_in

class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)

class Part(Base):
    __tablename__ = "parts"
    number: Mapped[str] = mapped_column(String(10), unique=True)
    title: Mapped[str] = mapped_column(String(40))

parts = Resource(Part, access=Access(read=anyone, create=signed_in))
parts.imports(key=["number"])
app = Freehold(parts, title="Shop")
"""


def test_rows_come_in_and_the_refused_ones_are_told(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "shop.py").write_text(SHOP)
    (project / "pyproject.toml").write_text('[tool.freehold]\napp = "shop:app"\n')
    (project / "parts.csv").write_text("number,Title\n1,Bolt\n2,\n3,Nut\n")
    command = ("import", "parts.csv", "--resource", "parts")
    wrong = run(*command)
    assert (wrong.status, wrong.out) == (2, "")
    assert "'Title': no field of parts has this name. Map it (field=column)" in wrong.err
    mapped = (*command, "--map", "title=Title", "--rejects", "bad.csv")
    dry = run(*mapped, "--dry-run")
    assert "dry run, nothing written: 3 rows: created 2, refused 1" in dry.out
    found = run(*mapped)
    assert found.status == 1
    assert "3 rows: created 2, refused 1" in found.out
    assert "Field required" in found.out and "refused rows: bad.csv" in found.out
    assert (project / "bad.csv").read_text().splitlines()[1] == "3,Title: Field required,2,"
    again = run(*mapped, "--json")
    told = json.loads(again.out)
    assert (told["unchanged"], told["refused"], told["created"]) == (2, 1, 0)
    assert told["refused_rows"] == [{"line": 3, "reasons": "Title: Field required"}]
    sent = type("Input", (), {"buffer": io.BytesIO(b'{"number": "9", "title": "Nail"}\n')})
    monkeypatch.setattr(sys, "stdin", sent)
    piped = run("import", "-", "--format", "jsonl", "--resource", "parts")
    assert (piped.status, piped.out) == (0, "1 rows: created 1\n")
    assert run("export", "parts", "--to", "out.jsonl", "--where", "sort=-created_at").status == 0
    back = run("import", "out.jsonl", "--resource", "parts")
    assert (back.status, back.out) == (0, "3 rows: unchanged 3\n")
    strange = run("export", "parts", "--to", "out.csv", "--where", "colour=red")
    assert strange.status == 2 and "colour: There is no such parameter." in strange.err
    stopped = run(*mapped[:-2], "--stop")
    assert stopped.status == 2
    assert "Stopped: line 3: Title: Field required. Nothing of its 200 rows was written." in stopped.err


def test_a_wrong_call_says_what_to_do(run: Run, project: Path) -> None:
    (project / "other_shop.py").write_text(SHOP)
    (project / "parts.csv").write_text("number,title\n")
    for arguments, message in (
        (("nothing.csv", "--resource", "parts"), "There is no file nothing.csv."),
        (("-", "--resource", "parts"), "say whether it is --format csv or --format jsonl"),
        (("parts.csv", "--resource", "books"), "There is no resource 'books'; there are parts."),
        (("parts.csv", "--resource", "parts", "--map", "title"), "--map takes FIELD=COLUMN"),
        (("parts.csv", "--resource", "parts", "--as", "nobody@example.com"), "There is no account nobody@example.com."),
        (("parts.csv", "--resource", "parts", "--encoding", "klingon"), "There is no encoding 'klingon'"),
    ):
        found = run("import", *arguments, "--app", "other_shop:app")
        assert found.status == 2
        assert message in found.err.replace("\n", " ")

"""`freehold contract`: what is written, what is said, and the exit status that a pipeline goes by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.shop import GONE, SHOP, changed

Run = Callable[..., Any]

PLAIN = """
from fastapi import FastAPI
from pydantic import BaseModel

class Book(BaseModel):
    title: str

app = FastAPI()

@app.post("/v1/books", status_code={status})
def create(book: Book) -> Book:
    return book
"""


@pytest.fixture
def files(project: Path) -> dict[str, Path]:
    """The same contract, one that is broken, and one with something new."""
    contents = {
        "same.json": SHOP,
        "broken.json": changed({"/components/schemas/BookDraft/properties/isbn": GONE}),
        "more.json": changed({"/components/schemas/BookDraft/properties/subtitle": {"type": "string"}}),
        "risky.json": changed({"/components/schemas/BookDraft/properties/genre/default": "verse"}),
    }
    for name, document in contents.items():
        (project / name).write_text(json.dumps(document))
    return {name: project / name for name in contents}


def test_N05_a_break_fails_with_the_line_the_reason_and_the_remedy(run: Run, files: dict[str, Path]) -> None:
    assert run("contract", "freeze", "same.json").out == "contract.json: 5 operations, frozen\n"
    assert (run("contract", "diff", "same.json").status, run("contract", "diff", "same.json").out) == (
        0,
        "no difference that a client can notice\n",
    )
    told = run("contract", "diff", "broken.json")
    line = next(n for n, text in enumerate(Path("contract.json").read_text().splitlines(), 1) if '"isbn"' in text)
    assert told.status == 1
    assert told.out.splitlines() == [
        "breaking  POST /v1/books: BookDraft.isbn is gone",
        f"  at   contract.json:{line}",
        "  why  Clients that send it get 422: unknown fields are refused.",
        "  do   Take it again, or leave it as it is and make the change in a new version.",
        "1 breaking, 0 risky, 0 safe",
        "Version v1 may not break. Where it must: freehold contract freeze --accept",
    ]


def test_what_is_safe_passes_and_is_counted(run: Run, files: dict[str, Path]) -> None:
    run("contract", "freeze", "same.json")
    assert run("contract", "diff", "more.json").out == "0 breaking, 0 risky, 1 safe\n"
    told = run("contract", "diff", "more.json", "--all")
    assert (told.status, told.out.splitlines()[0]) == (0, "safe  POST /v1/books: BookDraft.subtitle is new")


def test_what_is_risky_passes_unless_asked(run: Run, files: dict[str, Path]) -> None:
    assert run("contract", "diff", "same.json", "risky.json").status == 0
    assert run("contract", "diff", "same.json", "risky.json", "--strict").status == 1


def test_freeze_writes_over_no_promise_unless_told_to(run: Run, files: dict[str, Path]) -> None:
    run("contract", "freeze", "same.json")
    frozen = Path("contract.json").read_bytes()
    refused = run("contract", "freeze", "broken.json")
    assert (refused.status, "--accept" in refused.err) == (1, True)
    assert Path("contract.json").read_bytes() == frozen
    assert run("contract", "freeze", "broken.json", "--accept").out == (
        "contract.json: 5 operations, 1 breaking, 0 risky, 0 safe\n"
    )
    assert run("contract", "diff", "broken.json").status == 0


def test_json_has_all_of_it(run: Run, files: dict[str, Path]) -> None:
    told = run("contract", "diff", "same.json", "broken.json", "--json")
    report = json.loads(told.out)
    assert (told.status, report["breaks"]) == (1, True)
    assert report["findings"] == [
        {
            "severity": "breaking",
            "code": "request.field_refused",
            "what": "BookDraft.isbn is gone",
            "operations": ["POST /v1/books"],
            "version": "v1",
            "in_version": True,
            "pointer": "/components/schemas/BookDraft/properties/isbn",
            "line": None,
            "reason": "Clients that send it get 422: unknown fields are refused.",
            "remedy": "Take it again, or leave it as it is and make the change in a new version.",
        }
    ]


def test_any_fastapi_application_has_a_contract(run: Run, project: Path) -> None:
    (project / "plain.py").write_text(PLAIN.format(status=201))
    (project / "later.py").write_text(PLAIN.format(status=200))
    assert run("contract", "freeze", "plain:app").out == "contract.json: 1 operation, frozen\n"
    told = run("contract", "diff", "later:app")
    assert told.status == 1
    assert "POST /v1/books: it never answers 201 any longer; it answers 200 instead" in told.out


def test_without_a_contract_it_says_how_to_get_one(run: Run, files: dict[str, Path]) -> None:
    told = run("contract", "diff", "same.json")
    assert (told.status, told.err) == (
        2,
        "freehold: There is no contract.json yet. Write it, and commit it: freehold contract freeze\n",
    )
    assert run("contract", "diff", "same.json", "nowhere.json").err == "freehold: There is no nowhere.json.\n"
    assert "not more" in run("contract", "diff", "same.json", "same.json", "same.json").err

"""The tutorial: each step runs as it says, and what comes out of it is `services/books`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

from freehold.contract import compare
from freehold.testing.serving import served

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorial").glob("[0-9]-*.md"))
BOOKS = ROOT / "services" / "books"
BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<path>\S+))?\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
FEATURES = [
    f"{feature}/{name}.py" for feature in ("books", "reviews") for name in ("models", "schemas", "crud", "routes")
]


def blocks(page: Path) -> Iterator[re.Match[str]]:
    return BLOCK.finditer(page.read_text(encoding="utf-8"))


def as_service(text: str) -> str:
    """What the tutorial calls bookstore is called books here."""
    return text.replace("Bookstore", "Books").replace("bookstore", "books")


def content(text: str) -> list[str]:
    """Lines but for imports, which stand in another order beside the package itself."""
    return [line for line in as_service(text).splitlines() if line.strip() and not re.match(r"from|import", line)]


class Project:
    """The shell of somebody who follows the pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.exports: list[str] = []
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "PYTEST_", "COV_"))
        }
        self.environ = kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"}

    def run(self, command: str) -> str:
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        said = command.replace("localhost:8000", self.address.removeprefix("http://"))
        done = subprocess.run(
            ["/bin/bash", "-c", "\n".join([*self.exports, said])],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        if command.startswith("export "):
            self.exports.append(said)
        return (done.stdout + done.stderr).strip()

    def change(self, path: str, diff: str) -> None:
        lines = diff.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        text = (self.folder / path).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path}: not there once:\n{old}"
        (self.folder / path).write_text(text.replace(old, new), encoding="utf-8")

    def follow(self, page: Path) -> None:
        with ExitStack() as stack:
            for block in blocks(page):
                if block["kind"] == "console":
                    for command, expected in commands(block["text"]):
                        if command == "make serve &":
                            self.address = stack.enter_context(
                                served("bookstore.app:app", cwd=self.folder, folder=self.folder)
                            )
                        else:
                            said = self.run(command)
                            assert expected.fullmatch(said), f"{page.name}: $ {command}\n{said}"
                elif block["kind"] == "diff":
                    self.change(block["path"], block["text"])
                elif block["path"]:
                    (self.folder / block["path"]).write_text(block["text"], encoding="utf-8")


def commands(text: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Each command of a block, with the pattern of what it says: `…` stands for anything."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        pieces = [re.escape(piece) for piece in expected.strip().split("…")]
        yield command, re.compile(".*".join(pieces), re.DOTALL)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_the_pages_lead_from_an_empty_folder_to_the_service(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for page in PAGES:
        project.follow(page)
    for name in FEATURES:
        made = (project.folder / "bookstore" / name).read_text(encoding="utf-8")
        assert content(made) == content((BOOKS / name).read_text(encoding="utf-8")), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_adds_to_a_feature_is_in_the_service(page: Path) -> None:
    for block in blocks(page):
        if block["kind"] == "diff" and (block["path"] or "").startswith("bookstore/"):
            text = (BOOKS / block["path"].removeprefix("bookstore/")).read_text(encoding="utf-8")
            added = [as_service(line[1:]) for line in block["text"].splitlines() if line.startswith("+")]
            assert [line for line in content("\n".join(added)) if line not in text.splitlines()] == []


def test_I3_the_contract_break_of_a_second_generation_is_caught() -> None:
    first, second = (program(name) for name in ("first.py", "second.py"))
    lost = [each for each in compare(first, second) if each.fails]
    assert [(each.code, each.operations) for each in lost] == [
        ("operation.removed", ("DELETE /api/v1/books/{book_id}",)),
        ("operation.removed", ("POST /api/v1/books",)),
    ]
    second["paths"] = {f"/api/v1{path}": item for path, item in second["paths"].items()}
    told = {each.operations[0]: each.what for each in compare(first, second) if each.fails}
    assert told == {
        "DELETE /api/v1/books/{book_id}": "it never answers 204 any longer; it answers 200 instead",
        "POST /api/v1/books": "it never answers 201 any longer; it answers 200 instead",
    }


def program(name: str) -> dict[str, dict[str, object]]:
    """The OpenAPI document of one of the two generations, as the page shows them."""
    (code,) = [
        block["text"] for page in PAGES for block in blocks(page) if block["path"] == name and block["kind"] == "python"
    ]
    module = ModuleType(name.removesuffix(".py"))
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, name, "exec"), module.__dict__)  # the page is ours
        found: dict[str, dict[str, object]] = module.app.openapi()
    finally:
        del sys.modules[module.__name__]
    return found

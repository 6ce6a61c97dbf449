"""What documents tell people to import is there, and public: copied as it stands, each line works, and goes on doing so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import freehold

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([
    *(page for page in DOCS.rglob("*.md") if page.parent.name != "decisions"),  # these speak of the inside
    *ROOT.glob("*.md"), *(ROOT / "services").glob("*/README.md"), *(ROOT / "changes").glob("*.md"),
])  # fmt: skip
PROGRAMS = sorted((ROOT / "examples").rglob("*.py"))
IMPORT = re.compile(r"\bfrom (freehold[\w.]*) import (\([^)]*\)|[\w, ]+)")
PUBLIC_API = DOCS / "how-to" / "public-api.md"
# Names that a page says in passing, as `KeyLifetimes(…)`: of Python and others, or of the page's own programs.
FOREIGN = {"ForeignKey", "ForeignKeyField", "Length", "Path", "String", "Sunshine"}


def public() -> dict[str, ModuleType]:
    text = PUBLIC_API.read_text(encoding="utf-8")
    return {name: import_module(name) for name in re.findall(r"`(freehold(?:\.\w+)*)`", text)}


def names(module: ModuleType) -> set[str]:
    return set(getattr(module, "__all__", None) or (name for name in vars(module) if not name.startswith("_")))


def imports(page: Path) -> Iterator[tuple[str, str]]:
    for module, said in IMPORT.findall(page.read_text(encoding="utf-8")):
        for name in said.strip("()").split(","):
            if name.strip():
                yield module, name.split(" as ")[0].strip()


@pytest.mark.parametrize("page", [*PAGES, *PROGRAMS], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_import_of_a_document_works_and_is_public(page: Path) -> None:
    known = public()
    for module, name in imports(page):
        assert module in known, f"{module} is none of those that {PUBLIC_API.name} names"
        assert name in names(known[module]), f"from {module} import {name}"


def test_every_class_that_a_guide_shows_in_use_can_be_imported() -> None:
    there = set().union(*(names(module) for module in public().values())) | FOREIGN
    lost: set[str] = set()
    for page in (DOCS / "how-to").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        own = set(
            re.findall(r"^\s*(?:class|def|async def) (\w+)|^\s*from (?!freehold)\S+ import (.+)$", text, re.MULTILINE)
        )
        made = {name.strip() for pair in own for part in pair for name in part.split(",")}
        for code in re.findall(r"`([^`\n]+)`|^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            used = set(re.findall(r"(?<![\w.])([A-Z][a-z]\w+)\(", "".join(code)))
            lost |= {f"{page.name}: {name}" for name in used - there - made}
    assert lost == set()


def test_the_front_door_has_forty_names_at_most() -> None:
    assert len(freehold.__all__) <= 40, "what few need stands in the package that it belongs to"
    assert sorted(set(freehold.__all__)) == sorted(freehold.__all__)

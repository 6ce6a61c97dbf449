"""House rules that no linter knows, each with the reason in its message."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLKIT = ROOT / "src" / "freehold"
SERVICES = ROOT / "services"
VAGUE = {"utils", "util", "helpers", "common", "misc", "manager", "managers"}


def modules(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "versions" not in path.parts)


def product() -> list[Path]:
    return [path for path in modules(TOOLKIT, SERVICES) if "tests" not in path.parts]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Facts:
    """What the rules ask of a file. imports: absolute names of modules, at the top or inside functions."""

    has_docstring: bool
    imports: frozenset[str]
    reads_environment: bool
    commits: bool


@cache
def facts(path: Path) -> Facts:
    """Read once for all rules: to read everything takes seconds."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(module))
    return Facts(
        has_docstring=bool(ast.get_docstring(module)),
        imports=frozenset(imported for node in nodes for imported in _imported(path, node)),
        reads_environment=any(_is_environment(node) for node in nodes),
        commits=any(isinstance(node, ast.Call) and _attribute(node.func) == "commit" for node in nodes),
    )


def _imported(path: Path, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = path.relative_to(ROOT).with_suffix("").parts[:-1]
        base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
        yield ".".join(part for part in (base, node.module) if part)


def _is_environment(node: ast.AST) -> bool:
    names = ("environ", "getenv")
    if isinstance(node, ast.Attribute):
        return node.attr in names and isinstance(node.value, ast.Name) and node.value.id == "os"
    return isinstance(node, ast.Name) and node.id in names


def _attribute(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None


@pytest.mark.slow
def test_imports_point_one_way() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_no_module_inside_imports_the_front_door() -> None:
    """`from freehold import x` inside freehold is a cycle that only bites later."""
    found = {name(path) for path in modules(TOOLKIT) if "freehold" in facts(path).imports}
    assert found <= {"src/freehold/web/problem_table.py"}, "that one walks the whole package, to write a reference"


def test_modules_are_small() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in product()}
    assert statistics.median(lengths.values()) <= 150
    assert {path: lines for path, lines in lengths.items() if lines > 350} == {}, "split by reason to change"


def test_modules_say_what_they_hold() -> None:
    found = [name(path) for path in product() if path.stem in VAGUE]
    assert found == [], "name the thing"


def test_every_module_of_the_toolkit_opens_with_a_docstring() -> None:
    found = [name(path) for path in modules(TOOLKIT) if not facts(path).has_docstring]
    assert found == [], "a module begins with what belongs in it"


def test_only_settings_and_the_command_line_read_the_environment() -> None:
    allowed = ("src/freehold/settings/", "src/freehold/cli/", "src/freehold/testing/")
    read = (name(path) for path in product() if facts(path).reads_environment)
    found = [each for each in read if not each.startswith(allowed)]
    assert found == [], "take it from Settings"


def test_only_the_unit_of_work_commits() -> None:
    """Everything else may flush; one place commits, so that an answer that was seen is durable."""
    found = {name(path) for path in product() if facts(path).commits}
    assert found <= COMMITS


# Beside the unit of work: those that drive it, and those that have no request. Each with its reason.
COMMITS = {
    "src/freehold/store/unit.py",  # the one
    "src/freehold/store/session.py",  # what the unit calls
    "src/freehold/store/database.py",  # `writing()` ends its unit
    "src/freehold/store/migrate.py",  # a migration is no request
    "src/freehold/testing/isolation.py",  # stands in for `writing()` inside a test's transaction
}


@pytest.mark.skipif(not SERVICES.is_dir(), reason="there are no services here")
class TestServices:
    def test_a_service_imports_only_public_names_of_freehold(self) -> None:
        found = {
            f"{name(path)}: {imported}"
            for path in modules(SERVICES)
            if "migrations" not in path.parts  # written by `freehold migrate make`
            for imported in facts(path).imports
            if imported.startswith("freehold.") and imported.count(".") > 1
            if not ("tests" in path.parts and imported.startswith("freehold.testing."))
        }
        assert found == set(), "import from freehold, or from the front door of one of its packages"

    def test_a_feature_never_imports_another_features_tables(self) -> None:
        found = {
            f"{name(path)}: {imported}"
            for path in product()
            if SERVICES in path.parents
            for imported in facts(path).imports
            if imported.endswith(".models") and _feature(imported) != _feature_of(path) and _is_feature(path)
        }
        assert found == set(), "name tables by string, and call the public function in its crud.py"

    def test_services_do_not_import_each_other(self) -> None:
        found = {
            f"{name(path)}: {imported}"
            for path in modules(SERVICES)
            for imported in facts(path).imports
            if imported.startswith("services.") and imported.split(".")[1] != path.relative_to(SERVICES).parts[0]
        }
        assert found == set()


def _feature(imported: str) -> str:
    return imported.split(".")[-2]


def _feature_of(path: Path) -> str:
    return path.parent.name


def _is_feature(path: Path) -> bool:
    return (path.parent / "models.py").exists() and "tests" not in path.parts

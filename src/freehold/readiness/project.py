"""The files of a project: what is read, what is left out, and what its .gitignore keeps out of the repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

_NEVER = {"node_modules", "site-packages", "__pycache__", "build", "dist", "venv", "env", "htmlcov"}
_NO_PRODUCT = {"tests", "test", "migrations", "alembic", "docs", "bench", "benchmarks"}
_LARGEST_SOURCE_BYTES = 1_000_000
"""A longer Python file was written by a program."""


@dataclass(frozen=True)
class Project:
    """A working directory and the parts of it that are looked at. paths: files or folders; the root where empty."""

    root: Path
    paths: Sequence[Path] = ()

    @cached_property
    def sources(self) -> list[Path]:
        """The Python files of the product: without tests, migrations, hidden folders and installed packages."""
        found: set[Path] = set()
        for path in self.paths or [self.root]:
            if path.is_file():
                found.add(path)
                continue
            skipped = _NEVER | (_NO_PRODUCT - set(path.parts))
            found |= {file for file in walk(path, skipped) if _is_product(file)}
        return sorted(found)

    @cached_property
    def files(self) -> list[Path]:
        """Every file below the root, without tests, installed packages and hidden folders other than those of pipelines."""
        return sorted(walk(self.root, _NEVER | {"tests", "test"}, hidden={".github", ".ci", ".circleci"}))

    def named(self, *patterns: str) -> list[Path]:
        """The files whose name fits one of the patterns, in any letter case."""
        return [file for file in self.files if any(fnmatch(file.name.lower(), each) for each in patterns)]

    def shown(self, path: Path) -> str:
        """The path as findings tell it: relative to the root, with forward slashes."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.as_posix()

    def ignored(self, path: Path) -> bool:
        """Whether a .gitignore on the way from the repository's root to the file keeps it out."""
        verdict = False
        for folder, pattern in self._patterns:
            if path.is_relative_to(folder):
                relative = path.relative_to(folder)
                keeps_out = not pattern.startswith("!")
                if _matches(relative, pattern.removeprefix("!")):
                    verdict = keeps_out
        return verdict

    @cached_property
    def _patterns(self) -> list[tuple[Path, str]]:
        above = [self.root, *self.root.parents]
        tops = [index for index, folder in enumerate(above) if (folder / ".git").exists()]
        folders = list(reversed(above[: tops[0] + 1])) if tops else [self.root]
        files = [folder / ".gitignore" for folder in folders if (folder / ".gitignore").is_file()]
        files += [file for file in self.files if file.name == ".gitignore" and file.parent != self.root]
        return [(file.parent, line) for file in files for line in _lines(file)]


def walk(folder: Path, skipped: Iterable[str], *, hidden: Iterable[str] = ()) -> Iterator[Path]:
    """The files below a folder, without the skipped folders, hidden ones but those named, and virtual environments."""
    try:
        entries = list(folder.iterdir())
    except OSError:  # not ours to read
        return
    for entry in entries:
        if entry.is_symlink():
            continue
        if entry.is_file():
            yield entry
        elif entry.name in hidden or not (
            entry.name in skipped or entry.name.startswith(".") or (entry / "pyvenv.cfg").exists()
        ):
            yield from walk(entry, skipped, hidden=hidden)


def content(path: Path) -> str:
    """The text of a file; bytes that are no UTF-8 are replaced."""
    return path.read_text(encoding="utf-8", errors="replace")


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, from 1."""
    return enumerate(content(path).splitlines(), start=1)


def _is_product(file: Path) -> bool:
    if file.suffix != ".py" or file.name.startswith("test_") or file.name in {"conftest.py", "setup.py"}:
        return False
    return file.stat().st_size <= _LARGEST_SOURCE_BYTES


def _lines(file: Path) -> list[str]:
    lines = (line.strip() for _, line in numbered(file))
    return [line for line in lines if line and not line.startswith("#")]


def _matches(relative: Path, pattern: str) -> bool:
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.strip("/")
    names = [parent.as_posix() for parent in [relative, *relative.parents] if parent.name]
    if anchored:
        return any(fnmatch(name, pattern.replace("**/", "*")) for name in names)
    return any(fnmatch(part, pattern) for part in relative.parts)

"""Edits of Python that somebody wrote: at a marked place, idempotent, and nothing else of the file is touched."""

from __future__ import annotations

import ast
from pathlib import Path

from freehold.errors import ConfigurationError


def insert_at(source: str, mark: str, item: str) -> str | None:
    """`item,` on a line of its own above the line that holds `# mark`, as far in as that. None without such a line."""
    lines = source.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.lstrip().startswith(f"# {mark}"):
            wanted = f"{line[: len(line) - len(line.lstrip())]}{item},\n"
            return source if wanted in lines else "".join([*lines[:number], wanted, *lines[number:]])
    return None


def add_import(source: str, module: str, name: str) -> str:
    """`from .module import name` among the relative imports of a file, in order."""
    statement = f"from .{module} import {name}\n"
    lines = source.splitlines(keepends=True)
    if statement in lines:
        return source
    at = 0
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and node.level == 1 and (node.module or "") > module:
            at = node.lineno - 1
            break
        assert node.end_lineno is not None
        at = node.end_lineno
    return "".join([*lines[:at], statement, *lines[at:]])


def marked_file(folder: Path, first: Path, mark: str) -> Path:
    """The file that holds the mark: `first`, or another module of the folder. Raises ConfigurationError with both."""
    for path in (first, *sorted(folder.glob("*.py"))):
        if any(line.lstrip().startswith(f"# {mark}") for line in path.read_text(encoding="utf-8").splitlines()):
            return path
    raise ConfigurationError(
        f"{first} holds no line `# {mark}`. Put it on a line of its own among the resources, in "
        "Freehold(books, …): the new one is written above it."
    )

"""What the compiler of one dialect knows, and how it counts the mentions of protected tables in a finished text."""

from __future__ import annotations

import re

from freehold.store.protection import Registry, Shape


class Guard:
    """What the compiler of one dialect knows."""

    def __init__(self, registry: Registry, shape: Shape | None) -> None:
        self.registry = registry
        self.shape = shape
        self._pattern: tuple[int, re.Pattern[str]] | None = None

    def mentions(self, statement: str) -> int:
        """How often protected names stand in the text as a table (or as something that cannot be told from one)."""
        size = len(self.registry.tables) + len(self.registry.views)
        if not size:
            return 0
        if self._pattern is None or self._pattern[0] != size:
            names = sorted({*self.registry.tables, *self.registry.views}, key=len, reverse=True)
            self._pattern = (size, re.compile(rf"(?<![\w$])({'|'.join(map(re.escape, names))})(?![\w$])"))
        text = _QUOTED.sub(_unquote, statement).lower()
        if "u&" in text and _UNICODE_NAME.search(text):
            return 1_000_000  # an escaped identifier can spell any name
        return sum(1 for found in self._pattern[1].finditer(text) if _is_table(text, found.start(), found.end()))


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"((?:[^\"]|\"\")*)\"|\[([^\]]*)\]|`([^`]*)`")
_UNICODE_NAME = re.compile(r"u&\s*[\"a-z_]")
_QUALIFIED = re.compile(r"([\w$]+)\s*\.\s*$")
_NAMING = re.compile(r"\bas\s+$")
_SCHEMAS = frozenset({"main", "temp", "public"})


def _unquote(found: re.Match[str]) -> str:
    name = next((group for group in found.groups() if group is not None), None)
    return " '' " if name is None else name


def _is_table(text: str, start: int, end: int) -> bool:
    if text[end : end + 1] == ".":
        return False  # the qualifier of a column
    before = text[max(0, start - 80) : start]
    qualified = _QUALIFIED.search(before)
    if qualified is not None:
        return qualified.group(1) in _SCHEMAS
    return _NAMING.search(before) is None

"""Bounds, formats and patterns of two schemas: whether less fits, more, or another set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

Kind = Literal["limit_narrowed", "limit_widened", "limit_changed", "type_changed"]

_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
_NO_LIMITS = {"default", "contentMediaType", "contentEncoding", "contentSchema", "title"}
_WORDS = re.compile(r"[A-Za-z_][\w.:-]*(?:\|[A-Za-z_][\w.:-]*)*")
_NAMES_A_FORM = {"date-time", "date", "time", "duration", "uuid", "email", "uri", "ipv4", "ipv6", "binary", "byte"}


def compare_limits(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
    """Each keyword that differs: what it does, and a sentence."""
    for name in sorted((before.keys() | after.keys()) - _NO_LIMITS):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield _kind(name, old, new), _told(name, old, new)


def _kind(name: str, old: Any, new: Any) -> Kind:
    if old in (None, False):
        return "limit_narrowed"
    if new in (None, False):
        return "limit_widened"
    if name in _LEAST | _MOST:
        return "limit_narrowed" if (new > old) == (name in _LEAST) else "limit_widened"
    if name == "format" and {old, new} <= _NAMES_A_FORM:
        return "type_changed"  # a date is no instant, though both are text
    return _of_patterns(old, new) if name == "pattern" else "limit_changed"


def _told(name: str, old: Any, new: Any) -> str:
    if old is None:
        return f"{name} {new} is new"
    return f"{name} {old} is gone" if new is None else f"{name} is {new}, was {old}"


def _of_patterns(old: str, new: str) -> Kind:
    """Two patterns that differ in nothing but the words between which they choose are told apart; others are not.

    `^(title|year)$` takes more as `^(title|year|price)$`: the keys of a sort are declared in this way.
    """
    if _WORDS.sub("_", old) != _WORDS.sub("_", new) or re.search(r"\\|\[", old + new):
        return "limit_changed"
    pairs = list(zip(_choices(old), _choices(new), strict=True))
    if all(before <= after for before, after in pairs):
        return "limit_widened"
    return "limit_narrowed" if all(after <= before for before, after in pairs) else "limit_changed"


def _choices(pattern: str) -> list[set[str]]:
    return [set(found.group().split("|")) for found in _WORDS.finditer(pattern)]

"""A reader of structured fields (RFC 9651, section 4.2), as strict as the standard: for lists of strings with parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_INTEGER = re.compile(r"-?\d{1,15}(?![\d.])")
_BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_SEMICOLON = re.compile(r"; *")


@dataclass
class Item:
    value: str
    parameters: dict[str, int | str | bytes | bool]


def parse_list(text: str) -> list[Item]:
    """Every member, or ValueError."""
    items, at = [], 0
    text = text.strip(" ")
    while True:
        name, at = _take(_STRING, text, at)
        parameters: dict[str, int | str | bytes | bool] = {}
        while at < len(text) and text[at] == ";":
            _, at = _take(_SEMICOLON, text, at)
            key, at = _take(_KEY, text, at)
            parameters[key] = True
            if text[at : at + 1] == "=":
                parameters[key], at = _bare_item(text, at + 1)
        items.append(Item(re.sub(r"\\(.)", r"\1", name[1:-1]), parameters))
        if at == len(text):
            return items
        _, at = _take(_COMMA, text, at)


def _bare_item(text: str, at: int) -> tuple[int | str | bytes, int]:
    if text[at] == '"':
        found, at = _take(_STRING, text, at)
        return found[1:-1], at
    if text[at] == ":":
        found, at = _take(_BYTES, text, at)
        return found.encode(), at
    found, at = _take(_INTEGER, text, at)
    return int(found), at


def _take(pattern: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    match = pattern.match(text, at)
    if match is None or match.end() == at:
        raise ValueError(f"{text!r} at {at}")
    return match.group(0), match.end()

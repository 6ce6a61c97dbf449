"""The text of a query -> its parameters, before anything is said about what they mean."""

from __future__ import annotations

from urllib.parse import unquote


def parameters(query: bytes) -> tuple[tuple[str, str], ...]:
    """The decoded names and values, in order: what `urllib.parse.parse_qsl` reads with blank values kept.

    That asks what each of its many options is for; most of a query's parts stand for themselves.
    """
    found = []
    for part in query.decode("latin-1").split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote(name.replace("+", " ")), unquote(value.replace("+", " "))
        found.append((name, value))
    return tuple(found)

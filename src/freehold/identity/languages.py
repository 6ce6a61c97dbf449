"""Which of the languages that there are somebody would rather read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_MOST = 20  # ranges that are looked at; nobody reads more


def preferred(header: str, offered: Sequence[str]) -> str | None:
    """The first of `offered` that an Accept-Language header (RFC 9110, 12.5.4) asks for; None where it asks for none.

    `de-AT` is content with `de`, and `de` with `de-AT`. What is not understood in the header is passed over.
    """
    for wanted in _ranges(header):
        if wanted == "*":
            return offered[0] if offered else None
        exact = [each for each in offered if each.lower() == wanted]
        kin = [each for each in offered if each.lower().partition("-")[0] == wanted.partition("-")[0]]
        if exact or kin:
            return (exact or kin)[0]
    return None


def _ranges(header: str) -> Iterator[str]:
    """The language ranges in lower case, the most wanted first; those that are not wanted at all left out."""
    weighed = []
    for part in header.split(",")[:_MOST]:
        name, _, weight = part.partition(";")
        quality = _quality(weight)
        if name.strip() and quality > 0:
            weighed.append((quality, name.strip().lower()))
    for _, name in sorted(weighed, key=lambda each: -each[0]):
        yield name


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0

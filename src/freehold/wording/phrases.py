"""A sentence before its language is known, and what may stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Money:
    """amount: in minor units of the currency (ISO 4217)."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, told by the clock of a zone of the IANA database."""

    instant: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English sentence with `{names}`, and the values of these. Made by `phrase`."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Phrases and words of people, an empty line between each two. Made by `paragraphs`."""

    parts: tuple[Any, ...]


def phrase(text: str, /, **values: Any) -> Phrase:
    """A sentence to be said in the language of whoever reads it.

    text: English; the key in the catalogues, so it is written out here and never put together. values: text, numbers,
    dates, `Moment`, `Money`, phrases. Text is shown as it is, also where it holds braces.
    """
    return Phrase(text, values)


def paragraphs(*parts: Phrase | str) -> Paragraphs:
    """Several of them below each other; text is shown as it is. Empty text is left out."""
    return Paragraphs(tuple(part for part in parts if part != ""))

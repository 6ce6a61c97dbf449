"""Search terms: words where a script puts spaces between them, one- and two-character grams where it does not."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import Final

from freehold.resource.fold import fold

MAX_TERM_CHARACTERS: Final = 64
# A tsvector holds 1 MiB; a quarter of it leaves room for what PostgreSQL adds to each lexeme.
MAX_DOCUMENT_BYTES: Final = 256 * 1024

# Scripts written without spaces, and Hangul, whose words carry their particles: first and last code point.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul Jamo
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # iteration mark, zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3100, 0x318F),  # Bopomofo, Hangul compatibility
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA960, 0xA97F),  # Hangul Jamo extended A
    (0xAC00, 0xD7FF),  # Hangul syllables, Jamo extended B
    (0xF900, 0xFAFF),  # Han compatibility
    (0x1B000, 0x1B16F),  # Kana supplement
    (0x20000, 0x323AF),  # Han extensions B to H
)
_STARTS: Final = [first for first, _ in _UNSPACED]


class _Writing(Enum):
    SEPARATOR = 0
    SPACED = 1
    UNSPACED = 2


@lru_cache(maxsize=16_384)
def _writing(character: str) -> _Writing:
    """Letters, digits and marks make words in every script, and so does a pictograph; the rest stands between words."""
    category = unicodedata.category(character)
    if category[0] in "PZC" or category in {"Sm", "Sc", "Sk"} or (category == "So" and character < "\u2000"):
        return _Writing.SEPARATOR
    place = bisect_right(_STARTS, ord(character)) - 1
    inside = place >= 0 and ord(character) <= _UNSPACED[place][1]
    return _Writing.UNSPACED if inside else _Writing.SPACED


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Pieces between separators, cut where the way of writing changes; True for an unspaced one."""
    for writing, characters in groupby(fold(text), _writing):
        if writing is not _Writing.SEPARATOR:
            yield writing is _Writing.UNSPACED, "".join(characters)


def _bigrams(run: str) -> Iterator[str]:
    return (run[i : i + 2] for i in range(len(run) - 1))


def document(texts: Iterable[str | None]) -> str:
    """The terms of a row, each once, separated by single spaces, in order of appearance.

    Words are cut at 64 characters and the whole at 256 KiB, so that no text is too long to be indexed.
    """
    terms: dict[str, None] = {}
    for text in texts:
        for unspaced, run in _runs(text or ""):
            if unspaced:
                terms.update(dict.fromkeys(run))
                terms.update(dict.fromkeys(_bigrams(run)))
            else:
                terms[run[:MAX_TERM_CHARACTERS]] = None
    return _bounded(" ".join(terms))


def _bounded(text: str) -> str:
    if len(text) * 4 <= MAX_DOCUMENT_BYTES:
        return text
    encoded = text.encode()
    if len(encoded) <= MAX_DOCUMENT_BYTES:
        return text
    return encoded[:MAX_DOCUMENT_BYTES].rpartition(b" ")[0].decode()


def query_terms(text: str) -> tuple[tuple[str, ...], str | None]:
    """What a row must hold to match: whole terms, and a last word as a prefix (None after an unspaced script)."""
    terms: dict[str, None] = {}
    prefix: str | None = None
    for unspaced, run in _runs(text):
        if prefix is not None:
            terms[prefix] = None
            prefix = None
        if not unspaced:
            prefix = run[:MAX_TERM_CHARACTERS]
        elif len(run) == 1:
            terms[run] = None
        else:
            terms.update(dict.fromkeys(_bigrams(run)))
    return tuple(terms), prefix

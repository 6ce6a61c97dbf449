"""Search terms in their order: words where a script puts spaces between them, two-character grams where it does not."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import groupby
from typing import Final

from freehold.resource.fold import fold

MAX_TERM_CHARACTERS: Final = 64
# A tsvector holds 1 MiB; a quarter of it leaves room for what PostgreSQL adds to each lexeme.
# A term of a tsvector has less than 2 KiB.
MAX_WHOLE_CHARACTERS: Final = 500
MAX_DOCUMENT_BYTES: Final = 256 * 1024
# A tsvector tells places apart up to 16,383, and keeps 256 of one term.
MAX_PLACES: Final = 16_000
MAX_REPETITIONS: Final = 255

BOUNDARY: Final = "\ue000"
"""Stands behind each text but the first: no phrase reaches over it. Nobody can type it."""
SURPLUS: Final = "\ue001"
"""Keeps the place of a term that has occurred too often to be kept."""
WHOLE: Final = "\ue002"
"""Begins the term that stands for the whole of the first text."""

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
_ASCII_RUN: Final = re.compile(r"[0-9A-Za-z]+")
"""What `_writing` says of ASCII: the rest of it are separators."""
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


def runs(text: str) -> Iterator[tuple[bool, str]]:
    """Pieces between separators, folded, cut where the way of writing changes; True for an unspaced one."""
    return _cut(fold(text))


def _cut(folded: str) -> Iterator[tuple[bool, str]]:
    if folded.isascii():
        yield from ((False, run) for run in _ASCII_RUN.findall(folded))
        return
    for writing, characters in groupby(folded, _writing):
        if writing is not _Writing.SEPARATOR:
            yield writing is _Writing.UNSPACED, "".join(characters)


def run_terms(run: str, *, unspaced: bool) -> list[str]:
    """The terms of a piece, one for each place: a word; or each character with the next one, and the last alone."""
    return [run[i : i + 2] for i in range(len(run))] if unspaced else [run[:MAX_TERM_CHARACTERS]]


def whole_term(terms: Sequence[str]) -> list[str]:
    """The term that a row has, in front of the others, if its first text consists of these; none for a long text."""
    whole = WHOLE + WHOLE.join(terms)
    return [whole] if terms and len(whole) <= MAX_WHOLE_CHARACTERS else []


def document(texts: Iterable[str | None]) -> str:
    """The terms of a row in their order, between single spaces: those of the first text, a line feed, the others.

    In front of all stands the `whole_term` of the first text. Words are cut at 64 characters and the whole at 16,000 places or 256 KiB, so that no text is too long to be indexed.
    """
    lead, *others = [_terms(text or "") for text in texts]
    sections = [[*whole_term(lead), *lead], [term for terms in others for term in (*terms, BOUNDARY)]]
    if len(sections[0]) + len(sections[1]) <= MAX_REPETITIONS:  # so few are within all bounds
        return f"{' '.join(sections[0])}\n{' '.join(sections[1])}"
    counted: Counter[str] = Counter()
    places, room = MAX_PLACES, MAX_DOCUMENT_BYTES - 1
    kept: list[str] = []
    for section in sections:
        line: list[str] = []
        for term in section:
            counted[term] += 1
            shown = SURPLUS if counted[term] > MAX_REPETITIONS else term
            room -= len(shown.encode()) + 1
            places -= 1
            if room < 0 or places < 0:
                break
            line.append(shown)
        kept.append(" ".join(line))
    return "\n".join(kept)


def _terms(text: str) -> list[str]:
    folded = fold(text)
    if folded.isascii():
        found: list[str] = _ASCII_RUN.findall(folded)
        return found if len(folded) <= MAX_TERM_CHARACTERS else [run[:MAX_TERM_CHARACTERS] for run in found]
    return [term for unspaced, run in _cut(folded) for term in run_terms(run, unspaced=unspaced)]

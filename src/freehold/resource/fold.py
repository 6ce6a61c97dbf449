"""One way to fold text, for sorting, `__contains` and search, the same on every database.

Folding happens in Python and is stored, because no two databases agree on it: SQLite knows ASCII only, PostgreSQL
follows the locale it was made with.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters that people write without the stroke or as two letters, and that Unicode does not decompose.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)

# Canonical combining classes of what people leave out: Hebrew, Arabic and Syriac points, and accents. The others make
# another letter: nukta, kana voicing, virama, the vowels and tones of Telugu, Thai, Lao and Tibetan.
_ACCENT_CLASSES = frozenset(range(10, 37)) | frozenset(range(200, 256))

# Stream-safe text (UAX 15, section 13): sorting a longer run of marks costs its square.
_MAX_RUN_OF_MARKS = 30


@lru_cache(maxsize=16_384)
def _fold_character(character: str) -> str:
    lowered = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = (c for c in lowered if unicodedata.combining(c) not in _ACCENT_CLASSES and unicodedata.category(c) != "Cf")
    return "".join(kept).translate(_PLAIN)


def _fold_once(text: str) -> str:
    pieces: list[str] = []
    run = 0
    for character in text:
        piece = _fold_character(character)
        run = run + 1 if piece and unicodedata.combining(piece[-1]) else 0
        if run <= _MAX_RUN_OF_MARKS:
            pieces.append(piece)
    return " ".join(unicodedata.normalize("NFC", "".join(pieces)).split())


def fold(text: str) -> str:
    """The key under which texts that people call the same are equal.

    Case and accents are gone, compatibility forms (full width, ligatures) are plain, white space is single, invisible
    format characters are dropped; what makes another letter (kana voicing, Indic signs) stays. Idempotent, and linear
    in the length. Stable for every character that this Python's Unicode knows.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = _fold_once(text)
    # Composing may bring out a form that folds further; it settles at the second pass.
    return folded if folded.isascii() else _fold_once(folded)

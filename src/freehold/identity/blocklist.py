"""Passwords that attackers try first, as a sorted table of digests.

The table is `data/common_passwords.bin`; `data/README.md` says where the words come from and how it was made. Digests
and not words: the file is small, is no word list to be misused, and a repository search finds no obscenities in it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

# Of SHA-256. With 45,000 entries a password that is not listed is refused by accident once in 6 billion.
DIGEST_BYTES = 6


def fold(password: str) -> str:
    """The form in which passwords are compared with the list: case and outer spaces do not make one uncommon."""
    return unicodedata.normalize("NFC", password).casefold().strip()


def _digest(folded: str) -> bytes:
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES]


def pack(words: Iterable[str]) -> bytes:
    """The table that `Blocklist` reads, made from words in any order and case."""
    return b"".join(sorted({_digest(fold(word)) for word in words if word}))


class Blocklist:
    """A packed table of common passwords. A lookup costs one SHA-256 and a binary search in place."""

    def __init__(self, table: bytes) -> None:
        if len(table) % DIGEST_BYTES:
            raise ValueError("not a table made by freehold.identity.blocklist.pack")
        self._table = table

    def __len__(self) -> int:
        return len(self._table) // DIGEST_BYTES

    def _holds(self, folded: str) -> bool:
        wanted = _digest(folded)
        place = bisect_left(range(len(self)), wanted, key=self._entry)
        return place < len(self) and self._entry(place) == wanted

    def _entry(self, index: int) -> bytes:
        return self._table[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]

    def __contains__(self, password: object) -> bool:
        """Whether the password is listed, or is a listed one written several times over."""
        if not isinstance(password, str):
            return False
        folded = fold(password)
        period = (folded + folded).find(folded, 1)
        return bool(folded) and (self._holds(folded) or (period < len(folded) and self._holds(folded[:period])))


@cache
def bundled() -> Blocklist:
    """The list that ships with Freehold, read once."""
    return Blocklist(files("freehold.identity").joinpath("data/common_passwords.bin").read_bytes())

"""How a key looks: `fh_<10 characters>_<43 characters><6 of a checksum>`, of digits and letters.

The first part is public and finds the row; 43 random characters of 62 are 256 bits. The checksum (CRC-32, as others have
it) tells a mistyped or made-up key from a real one without a look at the database, and a secret scanner a key from a word.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib

PREFIX = "fh_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FINDER, _SECRET, _CHECKSUM = 10, 43, 6
_KEY = re.compile(f"{PREFIX}[0-9A-Za-z]{{{_FINDER}}}_[0-9A-Za-z]{{{_SECRET + _CHECKSUM}}}")
LENGTH = len(PREFIX) + _FINDER + 1 + _SECRET + _CHECKSUM


def new_key() -> str:
    """A key that nobody has."""
    body = f"{PREFIX}{_random(_FINDER)}_{_random(_SECRET)}"
    return body + _checksum(body)


def finder_of(key: str) -> str | None:
    """The part that finds the row; None for what cannot be a key."""
    if len(key) != LENGTH or _KEY.fullmatch(key) is None:
        return None
    body, given = key[:-_CHECKSUM], key[-_CHECKSUM:]
    return key[: len(PREFIX) + _FINDER] if given == _checksum(body) else None


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits

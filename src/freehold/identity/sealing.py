"""Seal small secrets for the database, and hash tokens for it, so that a dump of it opens nothing.

Keys are derived by HKDF (RFC 5869), one per purpose; sealing is ChaCha20-Poly1305 with a random nonce in front.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from freehold.base64url import base64url

_NONCE_BYTES = 12


class Unsealable(Exception):
    """The sealed value was made with another secret, for another purpose, or was altered."""


def derived_key(secret: bytes, *, purpose: str) -> bytes:
    """32 bytes for one purpose; those of two purposes tell nothing of each other."""
    return HKDF(SHA256(), 32, salt=None, info=f"freehold {purpose}".encode()).derive(secret)


class Sealer:
    """Seals under one key derived from `secret` for `purpose`; two purposes never open each other's values."""

    def __init__(self, secret: bytes, *, purpose: str) -> None:
        self._cipher = ChaCha20Poly1305(derived_key(secret, purpose=purpose))

    def seal(self, plain: bytes, *, context: bytes = b"") -> bytes:
        """Encrypt. context: what the value belongs to (a row's key); it opens in no other place."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, *, context: bytes = b"") -> bytes:
        """Decrypt. Raises `Unsealable`."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise Unsealable from error


def new_token(prefix: str) -> str:
    """A random bearer value of 256 bits. prefix: says what it is, to people and to secret scanners."""
    return prefix + base64url(os.urandom(32))


def token_hash(token: str) -> bytes:
    """What is stored of a token. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

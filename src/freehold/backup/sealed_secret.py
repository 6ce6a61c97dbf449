"""The secret of a service under a passphrase: scrypt (RFC 7914, 64 MiB) makes the key, ChaCha20-Poly1305 seals."""

from __future__ import annotations

import base64
import json
import os

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from freehold.errors import ConfigurationError
from freehold.identity.sealing import Sealer, Unsealable

SHORTEST_PASSPHRASE = 12
_PURPOSE = "backup"
_COST = {"n": 2**16, "r": 8, "p": 1}


def seal(secret: str, passphrase: str) -> bytes:
    """What stands in the backup. Raises ConfigurationError for a short passphrase."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ConfigurationError(f"The passphrase has fewer than {SHORTEST_PASSPHRASE} characters.")
    salt = os.urandom(16)
    sealed = _sealer(passphrase, salt).seal(secret.encode())
    return json.dumps({"kdf": "scrypt", **_COST, "salt": _text(salt), "sealed": _text(sealed)}).encode()


def unseal(content: bytes, passphrase: str) -> str:
    """The secret. Raises ConfigurationError for another passphrase."""
    found = json.loads(content)
    try:
        return _sealer(passphrase, base64.b64decode(found["salt"])).open(base64.b64decode(found["sealed"])).decode()
    except Unsealable:
        raise ConfigurationError("The passphrase is not the one under which the secret was sealed.") from None


def _sealer(passphrase: str, salt: bytes) -> Sealer:
    return Sealer(Scrypt(salt, 32, **_COST).derive(passphrase.encode()), purpose=_PURPOSE)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()

"""What every Python peer does with a token: PyJWT, HS256; with `TOKEN_CACHE=1` it remembers those that were good."""

from __future__ import annotations

import os
import time

import jwt

SECRET = os.environ["TOKEN_SECRET"]
REMEMBERS = os.environ.get("TOKEN_CACHE") == "1"
_known: dict[str, tuple[str, float]] = {}


def subject(token: str) -> str:
    """Whose token it is. Raises jwt.InvalidTokenError."""
    if REMEMBERS:
        found = _known.get(token)
        if found is not None and found[1] > time.time():
            return found[0]
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    if REMEMBERS:
        _known[token] = (claims["sub"], claims["exp"])
    return str(claims["sub"])

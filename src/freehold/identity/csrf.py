"""Tokens against forged requests (OWASP: signed double submit), and the value that a browser has before its log-in.

A token is bound to one cookie value: it is a MAC over that value and a random part of its own, so that nothing has to be
stored, no two look alike (a compressed page tells nothing of them), and no other cookie's token is good.
"""

from __future__ import annotations

import base64
import hmac
import os

from freehold.base64url import base64url
from freehold.identity.sealing import derived_key

VISITOR_PREFIX = "fhv_"
_RANDOM_BYTES = 16
_LONGEST = 256


class CsrfTokens:
    """Makes and verifies tokens and visitor values, under keys derived from the secret of the service."""

    def __init__(self, secret: bytes) -> None:
        self._token_key = derived_key(secret, purpose="csrf token")
        self._visitor_key = derived_key(secret, purpose="visitor")

    def token_for(self, value: str) -> str:
        """A token that is good together with the cookie that holds `value`."""
        return self._token(os.urandom(_RANDOM_BYTES), value)

    def is_good(self, token: str, value: str) -> bool:
        """Whether the token was made for this cookie value."""
        if not token or len(token) > _LONGEST:
            return False
        random = _decoded(token.partition(".")[0])
        return len(random) == _RANDOM_BYTES and _same(token, self._token(random, value))

    def new_visitor(self) -> str:
        """The value of a browser that has not logged in: 128 random bits, signed."""
        return self._visitor(os.urandom(_RANDOM_BYTES))

    def is_visitor(self, value: str) -> bool:
        """Whether the value was made here: one that a client chose is not taken up (C02)."""
        if not value.startswith(VISITOR_PREFIX) or len(value) > _LONGEST:
            return False
        random = _decoded(value.removeprefix(VISITOR_PREFIX).partition(".")[0])
        return len(random) == _RANDOM_BYTES and _same(value, self._visitor(random))

    def _token(self, random: bytes, value: str) -> str:
        mac = hmac.digest(self._token_key, random + value.encode("utf-8", "surrogatepass"), "sha256")
        return f"{base64url(random)}.{base64url(mac)}"

    def _visitor(self, random: bytes) -> str:
        return f"{VISITOR_PREFIX}{base64url(random)}.{base64url(hmac.digest(self._visitor_key, random, 'sha256'))}"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""

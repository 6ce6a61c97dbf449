"""DPoP: a token is good only together with a proof that its holder has the key (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError

from freehold.base64url import base64url
from freehold.identity.provider.keysets import ALGORITHMS, PublicKey, public_key
from freehold.identity.sealing import token_hash
from freehold.resource import clock

TYPE = "dpop+jwt"
OLDEST_SECONDS, NEWEST_SECONDS = 60, 30
NONCE_WINDOW_SECONDS = 300
_LONGEST = 4_096


class ProofRefused(Exception):
    """The proof is not good. Why is for no one outside."""


class NonceWanted(ProofRefused):
    """The proof is good save for the server's nonce (RFC 9449 8): try again with this one."""

    def __init__(self, nonce: str) -> None:
        super().__init__("use_dpop_nonce")
        self.nonce = nonce


@dataclass(frozen=True, slots=True)
class Proof:
    """A good one: the thumbprint of its key, its identifier, and until when it must not come again."""

    key_thumbprint: str
    jti: str
    until: datetime


class Nonces:
    """Nonces of the server: good for five to ten minutes, remembered nowhere."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"freehold dpop nonce\0" + secret).digest()

    def current(self) -> str:
        """The nonce to ask for now."""
        return self._of(int(clock.now().timestamp()) // NONCE_WINDOW_SECONDS)

    def is_good(self, nonce: object) -> bool:
        """Whether it was given out within this window or the one before."""
        window = int(clock.now().timestamp()) // NONCE_WINDOW_SECONDS
        given = nonce if isinstance(nonce, str) and nonce.isascii() else ""
        return any(hmac.compare_digest(given, self._of(each)) for each in (window, window - 1))

    def _of(self, window: int) -> str:
        mac = hmac.digest(self._key, str(window).encode(), "sha256")[:18]
        return base64.urlsafe_b64encode(mac).decode()


def verify(
    proof: str, *, method: str, url: str, access_token: str | None = None, nonces: Nonces | None = None
) -> Proof:
    """The proof of a request. url: without query and fragment. access_token: that it is used with (`ath`).

    nonces: given where a nonce is required. Raises ProofRefused.
    """
    try:
        key, claims = _signed(proof)
        return _checked(key, claims, method=method, url=url, access_token=access_token, nonces=nonces)
    except (JoseError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ProofRefused from error


def _signed(proof: str) -> tuple[PublicKey, Mapping[str, Any]]:
    if len(proof) > _LONGEST:
        raise ProofRefused
    first = proof.split(".", 1)[0]
    header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if header["typ"] != TYPE or header["alg"] not in ALGORITHMS or not set(header) <= {"typ", "alg", "jwk", "kid"}:
        raise ProofRefused
    key = public_key(header["jwk"])
    signed = jws.deserialize_compact(proof, key, algorithms=[header["alg"]])
    claims = json.loads(signed.payload or b"")
    if not isinstance(claims, dict):
        raise ProofRefused
    return key, claims


def _checked(
    key: PublicKey,
    claims: Mapping[str, Any],
    *,
    method: str,
    url: str,
    access_token: str | None,
    nonces: Nonces | None,
) -> Proof:
    now, issued = clock.now().timestamp(), float(claims["iat"])
    good = (
        isinstance(claims["jti"], str)
        and 1 <= len(claims["jti"]) <= 200
        and claims["htm"] == method
        and _place(str(claims["htu"])) == _place(url)
        and now - OLDEST_SECONDS <= issued <= now + NEWEST_SECONDS
    )
    if access_token is not None:
        good = good and hmac.compare_digest(str(claims["ath"]).encode(), _ath(access_token).encode())
    if not good:
        raise ProofRefused
    if nonces is not None and not nonces.is_good(claims.get("nonce")):
        raise NonceWanted(nonces.current())
    until = datetime.fromtimestamp(issued + OLDEST_SECONDS + NEWEST_SECONDS, tz=UTC)
    return Proof(key.thumbprint(), claims["jti"], until)


def _place(url: str) -> tuple[str, str, str]:
    """Where a request goes, as RFC 9449 4.3 compares it: scheme and host in any case, no query, no fragment."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower(), parts.path or "/"


def _ath(access_token: str) -> str:
    return base64url(token_hash(access_token))

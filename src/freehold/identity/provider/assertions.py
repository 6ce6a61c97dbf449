"""`private_key_jwt`: a client proves itself by its key (RFC 7523 3, OpenID Connect Core 9), each assertion once (O11)."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from freehold.identity.provider.keysets import ALGORITHMS, candidates
from freehold.resource import clock

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE_SECONDS = 300
LEEWAY_SECONDS = 30
_LONGEST = 8_192


class AssertionRefused(Exception):
    """It is not good. Why is for no one outside."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A good one: its identifier, and until when it must not come again."""

    jti: str
    until: datetime


def subject_of(assertion: str) -> str:
    """Whom it claims to be of, before anything is verified. Raises AssertionRefused."""
    try:
        payload = assertion.split(".")[1] if len(assertion) <= _LONGEST else ""
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise AssertionRefused from error


def verify(assertion: str, *, client_id: str, jwks: Mapping[str, Any], audiences: Collection[str]) -> Assertion:
    """The assertion, if the client's key signed it for one of `audiences`. Raises AssertionRefused."""
    try:
        claims = _claims(assertion, jwks)
        return _checked(claims, client_id, audiences)
    except (JoseError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise AssertionRefused from error


def _claims(assertion: str, jwks: Mapping[str, Any]) -> Mapping[str, Any]:
    first = assertion.split(".", 1)[0]
    header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if header["alg"] not in ALGORITHMS or "crit" in header:
        raise AssertionRefused
    for key in candidates(jwks, header.get("kid")):
        try:
            signed = jws.deserialize_compact(assertion, key, algorithms=[header["alg"]])
        except (JoseError, ValueError, TypeError):
            continue
        claims = json.loads(signed.payload or b"")
        if isinstance(claims, dict):
            return claims
    raise AssertionRefused


def _checked(claims: Mapping[str, Any], client_id: str, audiences: Collection[str]) -> Assertion:
    now = clock.now().timestamp()
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    end, start = float(claims["exp"]), float(claims.get("nbf", claims.get("iat", now)))
    good = (
        claims["iss"] == claims["sub"] == client_id
        # One audience, and that one ours: an assertion that others may use too is nobody's proof.
        and len(named) == 1
        and named[0] in audiences
        and now - LEEWAY_SECONDS < end <= now + LONGEST_LIFE_SECONDS + LEEWAY_SECONDS
        and start <= now + LEEWAY_SECONDS
        and isinstance(claims["jti"], str)
        and 1 <= len(claims["jti"]) <= 200
    )
    if not good:
        raise AssertionRefused
    return Assertion(claims["jti"], datetime.fromtimestamp(end + LEEWAY_SECONDS, tz=UTC))

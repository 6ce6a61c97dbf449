"""Public keys of clients (RFC 7517): what is taken, and nothing private or symmetric among it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from freehold.errors import FieldError, Invalid

ALGORITHMS = ("Ed25519", "EdDSA", "ES256", "ES384", "PS256", "RS256")
"""What clients may sign with: asymmetric, every one."""
MOST_KEYS = 10
SHORTEST_RSA_BITS = 2048
PublicKey = OKPKey | ECKey | RSAKey


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """The key of a JWK. Raises ValueError where it is private, symmetric, weak or none."""
    if jwk.get("kty") not in ("OKP", "EC", "RSA") or "d" in jwk or "k" in jwk:
        raise ValueError("a public key of kind OKP, EC or RSA")
    if jwk["kty"] == "RSA" and len(str(jwk.get("n", ""))) * 6 < SHORTEST_RSA_BITS:
        raise ValueError(f"RSA keys have at least {SHORTEST_RSA_BITS} bits")
    try:
        key = import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a key") from error
    if not isinstance(key, OKPKey | ECKey | RSAKey):
        raise ValueError("a public key of kind OKP, EC or RSA")  # noqa: TRY004 (the input's kind, not a program's)
    return key


def checked_keys(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """A key set as it may be kept. Raises Invalid."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS or not all(isinstance(k, dict) for k in keys):
        raise _refused(f"`keys` is a list of 1 to {MOST_KEYS} keys")
    for each in keys:
        try:
            public_key(each)
        except ValueError as error:
            raise _refused(str(error)) from None
    return {"keys": keys}


def _refused(fault: str) -> Invalid:
    return Invalid(f"jwks: {fault}.", errors=[FieldError("client.jwks", fault, pointer="/jwks")])


def candidates(jwks: Mapping[str, Any], kid: object) -> list[PublicKey]:
    """The keys that may have signed: those with the id, or all where none is named."""
    return [public_key(each) for each in jwks["keys"] if kid is None or each.get("kid") == kid]

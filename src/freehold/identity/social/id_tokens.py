"""Judge an ID token (OpenID Connect Core 3.1.3.7). Nothing in its header is believed beyond what is compared."""

from __future__ import annotations

import base64
import json
import time
import warnings
from collections.abc import Collection, Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from freehold.identity.social.key_set import KeySet
from freehold.identity.social.problems import LoginFailed
from freehold.identity.social.provider import Asking, Question, required_text

LEEWAY_SECONDS: Final = 60
LONGEST_TOKEN: Final = 16_384
_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
_OKP: Final = frozenset({"EdDSA", "Ed25519"})
ALGORITHMS: Final = tuple(_KINDS)
"""Never `none`, and none with a shared secret: whoever knows the client's could sign as anybody (L02)."""


async def judge(
    token: str,
    *,
    ask: Asking,
    keys: KeySet,
    keys_url: str,
    issuer: str,
    client_id: str,
    question: Question,
    algorithms: frozenset[str],
) -> Mapping[str, Any]:
    """The claims of a good token. algorithms: that the issuer says it signs with. Raises LoginFailed, ProviderAway."""
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm not in _KINDS or not _is_same(algorithm, algorithms):
        raise LoginFailed(f"The ID token is signed by {algorithm!r}, which is not taken.")
    kid = header.get("kid", "")
    key, described = await keys.find(ask, keys_url, kid if isinstance(kid, str) else "")
    if described["kty"] != _KINDS[algorithm] or not _is_same(algorithm, [described.get("alg", algorithm)]):
        raise LoginFailed("The ID token's key is not for its algorithm.")
    try:
        with warnings.catch_warnings():  # EdDSA by its older name is for the issuer to change
            warnings.simplefilter("ignore", SecurityWarning)
            signed = jws.deserialize_compact(token, key, algorithms=[algorithm])
        claims = json.loads(signed.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise LoginFailed("The ID token's signature is not good.") from error
    if not isinstance(claims, dict):
        raise LoginFailed("The ID token holds no claims.")
    _check(claims, issuer=issuer, client_id=client_id, nonce=question.nonce)
    return claims


def _is_same(algorithm: str, named: Collection[Any]) -> bool:
    """Whether it is one of those named. EdDSA is the older name of Ed25519 (RFC 9864)."""
    return algorithm in named or (_KINDS[algorithm] == "OKP" and not _OKP.isdisjoint(map(str, named)))


def _check(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> None:
    now, audience = time.time(), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    faults = {
        "iss": claims.get("iss") != issuer,
        "aud": client_id not in audiences,
        "azp": claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims),
        "exp": not _is_number(claims.get("exp")) or now >= claims["exp"] + LEEWAY_SECONDS,
        "iat": not _is_number(claims.get("iat")) or claims["iat"] > now + LEEWAY_SECONDS,
        "nbf": "nbf" in claims and (not _is_number(claims["nbf"]) or claims["nbf"] > now + LEEWAY_SECONDS),
        "nonce": claims.get("nonce") != nonce,
    }
    wrong = [name for name, is_wrong in faults.items() if is_wrong]
    if wrong:
        raise LoginFailed(f"The ID token's {', '.join(wrong)} is not good.")
    required_text(claims, "sub", longest=255)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _header(token: str) -> Mapping[str, Any]:
    first = token.partition(".")[0]
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise LoginFailed("The ID token is none.")
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError) as error:
        raise LoginFailed("The ID token is none.") from error
    if not isinstance(header, dict) or "crit" in header:
        raise LoginFailed("The ID token's header is not understood.")
    return header

"""ID tokens and log-out tokens (OpenID Connect Core 2, Back-Channel Logout 2.4), signed with the service's keys."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError

from freehold.base64url import base64url
from freehold.identity.authentication import Authentication
from freehold.identity.keys import KeyRing
from freehold.identity.tokens import ALGORITHMS, AccessTokens
from freehold.resource import clock
from freehold.resource.base import new_id

ID_TYPE, LOGOUT_TYPE = "JWT", "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_LIFETIME = timedelta(minutes=2)
_LONGEST = 8_192


@dataclass(frozen=True, slots=True)
class Hint:
    """What an ID token that comes back says: for which client, of whom, of which log-in of the browser."""

    client_id: UUID
    user_id: UUID
    login_id: UUID | None


class IdTokens:
    """Issues ID tokens, and knows its own again."""

    def __init__(self, tokens: AccessTokens, keys: KeyRing) -> None:
        self._tokens = tokens
        self._keys = keys

    async def issue(
        self,
        *,
        client_id: UUID,
        user_id: UUID,
        login_id: UUID | None,
        authentication: Authentication,
        nonce: str | None,
        access_token: str,
        claims: Mapping[str, Any],
    ) -> str:
        """An ID token for the client. login_id: the `sid`, by which a log-out is told. claims: further ones."""
        now = int(clock.now().timestamp())
        said: dict[str, Any] = {
            **claims,
            "iss": self._tokens.issuer,
            "sub": str(user_id),
            "aud": str(client_id),
            "azp": str(client_id),
            "iat": now,
            "exp": now + int(self._tokens.lifetime.total_seconds()),
            **authentication.claims,
            "at_hash": half_hash(access_token),
        }
        if login_id is not None:
            said["sid"] = str(login_id)
        if nonce is not None:
            said["nonce"] = nonce
        return await self._tokens.sign(said, typ=ID_TYPE)

    async def log_out_token(self, *, client_id: UUID, user_id: UUID, login_id: UUID) -> str:
        """Tells a client that a log-in has ended. It never holds a nonce, so that it is no ID token to anybody."""
        now = int(clock.now().timestamp())
        claims = {
            "iss": self._tokens.issuer,
            "sub": str(user_id),
            "aud": str(client_id),
            "iat": now,
            "exp": now + int(_LOGOUT_LIFETIME.total_seconds()),
            "jti": str(new_id()),
            "sid": str(login_id),
            "events": {LOGOUT_EVENT: {}},
        }
        return await self._tokens.sign(claims, typ=LOGOUT_TYPE)

    async def hint(self, token: str) -> Hint | None:
        """What an ID token of ours says, over as it may be; None for anything else."""
        try:
            return await self._hint(token)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None

    async def _hint(self, token: str) -> Hint | None:
        if len(token) > _LONGEST:
            return None
        header = json.loads(base64.urlsafe_b64decode(token.split(".", 1)[0] + "=="))
        if header.get("typ") != ID_TYPE or header.get("alg") not in ALGORITHMS or set(header) != {"alg", "typ", "kid"}:
            return None
        key = await self._keys.find(str(header["kid"])[:64])
        if key is None:
            return None
        signed = jws.deserialize_compact(token, key.public, algorithms=list(ALGORITHMS))
        claims = json.loads(signed.payload or b"")
        if claims["iss"] != self._tokens.issuer:
            return None
        login_id = claims.get("sid")
        return Hint(UUID(claims["aud"]), UUID(claims["sub"]), None if login_id is None else UUID(login_id))


def half_hash(token: str) -> str:
    """`at_hash` (Core 3.1.3.6): the left half of the digest that belongs to the algorithm: SHA-512 for Ed25519."""
    return base64url(hashlib.sha512(token.encode()).digest()[:32])

"""Access tokens: JWTs as RFC 9068 has them, signed with Ed25519 (RFC 9864), good for ten minutes unless said otherwise.

Nothing in a token's header is believed beyond the three fields that are compared. Whatever is wrong with a token, the
answer is the same.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError

from freehold.base64url import base64url
from freehold.errors import Unauthenticated
from freehold.identity.authentication import Authentication
from freehold.identity.keys import KeyRing
from freehold.resource import clock
from freehold.resource.base import new_id

TYPE = "at+jwt"
# Signed as Ed25519; EdDSA is the older name of the same algorithm and may still be met for a while.
ALGORITHMS = ("Ed25519", "EdDSA")
LONGEST_TOKEN = 8_192
LONGEST_KID = 64
_PART = re.compile(r"[A-Za-z0-9_-]+")
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER = {"alg", "typ", "kid"}


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a good token says. Roles are for others to read: decisions are taken on the roles as they stand now.

    client_id: of the application that holds it; None for the service's own. key_thumbprint: it is good only with a proof
    of this key (RFC 9449 6.1).
    """

    subject: UUID
    session_id: UUID
    token_id: str
    key_id: str
    scope: frozenset[str] | None
    issued_at: int
    expires_at: int
    authenticated_at: datetime | None = None
    amr: frozenset[str] = frozenset()
    client_id: UUID | None = None
    key_thumbprint: str | None = None
    actor_id: UUID | None = None


class _Refused(Exception):
    """The token is not good. Why is for no one outside."""


class AccessTokens:
    """Issue and verify access tokens of one issuer for one audience.

    issuer: the public address of the service. leeway: for clocks that differ, on `exp`, `nbf` and `iat`.
    """

    def __init__(
        self,
        keys: KeyRing,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta = timedelta(minutes=10),
        leeway: timedelta = timedelta(seconds=30),
    ) -> None:
        self._keys = keys
        self.issuer = issuer
        self.audience = audience
        self.lifetime = lifetime
        self._leeway = leeway.total_seconds()

    async def issue(
        self,
        *,
        subject: UUID,
        session_id: UUID,
        roles: list[str],
        scope: frozenset[str] | None,
        not_after: datetime,
        lifetime: timedelta | None = None,
        authentication: Authentication | None = None,
        actor_id: UUID | None = None,
    ) -> tuple[str, int]:
        """A signed token, and for how many seconds it is good: `lifetime`, but never past `not_after`.

        lifetime: where it is not that of every token; at most what the key ring was told is the longest.
        authentication: how the person behind it logged in (`auth_time`, `amr`, `acr` of RFC 9068 2.2.1).
        actor_id: who acts in the subject's account (`act` of RFC 8693 4.1).
        """
        now = int(clock.now().timestamp())
        end = min(now + int((lifetime or self.lifetime).total_seconds()), int(not_after.timestamp()))
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(subject),
            "sid": str(session_id),
            "jti": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": end,
            "roles": sorted(roles),
        }
        if scope is not None:
            claims["scope"] = " ".join(sorted(scope))
        if authentication is not None:
            claims |= authentication.claims
        if actor_id is not None:
            claims["act"] = {"sub": str(actor_id)}
        return await self.sign(claims), end - now

    async def sign(self, claims: Mapping[str, Any], *, typ: str = TYPE) -> str:
        """Sign claims as they are, with the active key."""
        key = await self._keys.signing_key()
        header = {"alg": ALGORITHMS[0], "typ": typ, "kid": key.kid}
        payload = json.dumps(dict(claims), separators=(",", ":"))
        return jws.serialize_compact(header, payload, key.private, algorithms=list(ALGORITHMS))

    async def verify(self, token: str) -> AccessClaims:
        """The claims of a good token. Raises Unauthenticated, with one body for everything that can be wrong."""
        try:
            return await self._verify(token)
        except (_Refused, JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise invalid_token() from None

    async def _verify(self, token: str) -> AccessClaims:
        header = _header(token)
        key = await self._keys.find(header["kid"])
        if key is None:
            raise _Refused
        signed = jws.deserialize_compact(token, key.public, algorithms=list(ALGORITHMS))
        claims = json.loads(signed.payload or b"")
        if not isinstance(claims, dict):
            raise _Refused
        return self._checked(claims, header["kid"])

    def _checked(self, claims: Mapping[str, Any], key_id: str) -> AccessClaims:
        now = clock.now().timestamp()
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        issued, start, end = (_instant(claims, name) for name in ("iat", "nbf", "exp"))
        good = (
            claims["iss"] == self.issuer
            and self.audience in audience
            and now < end + self._leeway
            and max(issued, start) <= now + self._leeway
        )
        if not good:
            raise _Refused
        scope = claims.get("scope")
        return AccessClaims(
            subject=_identifier(claims, "sub"),
            session_id=_identifier(claims, "sid"),
            token_id=str(claims["jti"]),
            key_id=key_id,
            scope=None if scope is None else frozenset(str(scope).split()),
            issued_at=issued,
            expires_at=end,
            authenticated_at=None if (at := claims.get("auth_time")) is None else datetime.fromtimestamp(at, UTC),
            amr=frozenset(map(str, claims.get("amr", ()))),
            client_id=_identifier(claims, "client_id") if "client_id" in claims else None,
            key_thumbprint=str(claims["cnf"]["jkt"]) if "cnf" in claims else None,
            actor_id=_identifier(claims["act"], "sub") if "act" in claims else None,
        )

    async def is_current(self, claims: AccessClaims) -> bool:
        """Whether claims verified earlier are still within their time, and their key within its own."""
        return self._is_in_time(claims, clock.now()) and await self._keys.find(claims.key_id) is not None

    def is_surely_current(self, claims: AccessClaims, now: datetime) -> bool:
        """The same without a look at the database; False where that would be needed."""
        return self._is_in_time(claims, now) and self._keys.known(claims.key_id, now) is not None

    def _is_in_time(self, claims: AccessClaims, now: datetime) -> bool:
        return now.timestamp() < claims.expires_at + self._leeway


def invalid_token() -> Unauthenticated:
    """The one refusal of a token."""
    return Unauthenticated("The access token is not valid.", invalid_token=True)


def _header(token: str) -> Mapping[str, str]:
    """The header, if it is exactly ours: three known fields, known values. `jwk`, `jku`, `x5u` and the like refuse."""
    if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
        raise _Refused
    first, _, signature = token.split(".")
    header = json.loads(_decode(first))
    _decode(signature)
    if not isinstance(header, dict) or header.keys() != _HEADER:
        raise _Refused
    if header["typ"] != TYPE or header["alg"] not in ALGORITHMS:
        raise _Refused
    kid = header["kid"]
    if not isinstance(kid, str) or len(kid) > LONGEST_KID or not _PART.fullmatch(kid):
        raise _Refused
    return header


def _decode(part: str) -> bytes:
    """Base64url without padding, in its one canonical spelling: the spare bits of the last character are zero.

    Without this, some changes of a signature's last character would go unnoticed.
    """
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise _Refused from error
    if base64url(raw) != part:
        raise _Refused
    return raw


def _instant(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    if type(value) is not int:
        raise _Refused
    return value


def _identifier(claims: Mapping[str, Any], name: str) -> UUID:
    value = claims[name]
    if not isinstance(value, str):
        raise _Refused
    return UUID(value)

"""Introspection and revocation (RFC 7662, RFC 7009): what a token is worth, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from freehold.errors import Unauthenticated
from freehold.identity.provider.clients import Client
from freehold.identity.provider.families import Families
from freehold.identity.tokens import AccessTokens
from freehold.resource import clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from freehold.store.session import Session

INACTIVE: dict[str, Any] = {"active": False}


class TokensAtHand:
    """Looks at tokens that clients bring. is_good: whether a log-in is open and its user may log in."""

    def __init__(self, families: Families, tokens: AccessTokens, *, is_good: Callable[[UUID], Awaitable[bool]]) -> None:
        self._families = families
        self._tokens = tokens
        self._is_good = is_good

    async def described(self, session: Session, client: Client, token: str) -> dict[str, Any]:
        """What the token says, if it is good and the client's to know of; otherwise exactly `INACTIVE` (O08)."""
        if token.startswith(self._families.prefix):
            return await self._refresh_token(session, client, token)
        try:
            claims = await self._tokens.verify(token)
        except Unauthenticated:
            return INACTIVE
        grant = await self._families.grant_of(session, claims.session_id)
        if grant is None or not _may_see(client, grant) or not await self._is_good(claims.session_id):
            return INACTIVE
        said = {
            "active": True,
            "iss": self._tokens.issuer,
            "aud": self._tokens.audience,
            "sub": str(claims.subject),
            "client_id": str(grant.client_id),
            "scope": " ".join(sorted(claims.scope or ())),
            "token_type": "Bearer" if grant.key_thumbprint is None else "DPoP",
            "jti": claims.token_id,
            "iat": claims.issued_at,
            "exp": claims.expires_at,
        }
        return said if grant.key_thumbprint is None else {**said, "cnf": {"jkt": grant.key_thumbprint}}

    async def _refresh_token(self, session: Session, client: Client, token: str) -> dict[str, Any]:
        grant = await self._families.grant_behind(session, token)
        if grant is None or not grant.is_alive or grant.expires_at <= clock.now():
            return INACTIVE
        if grant.client_id != client.id or not await self._is_good(grant.session_id):
            return INACTIVE
        return {
            "active": True,
            "iss": self._tokens.issuer,
            "sub": str(grant.user_id),
            "client_id": str(grant.client_id),
            "scope": grant.scope,
            "iat": int(grant.created_at.timestamp()),
            "exp": int(grant.expires_at.timestamp()),
        }

    async def revoke(self, session: Session, client: Client, token: str) -> None:
        """End what is behind one of the client's own tokens; an unknown or a foreign one is no fault (O09)."""
        if token.startswith(self._families.prefix):
            grant = await self._families.grant_behind(session, token)
        else:
            try:
                claims = await self._tokens.verify(token)
            except Unauthenticated:
                return
            grant = await self._families.grant_of(session, claims.session_id)
        if grant is not None and grant.client_id == client.id:
            await self._families.end(session, grant.session_id, by="client")


def _may_see(client: Client, grant: Any) -> bool:
    return client.introspects_all or bool(grant.client_id == client.id)

"""From an Authorization header to a principal with the rights of this moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from freehold.errors import Unauthenticated
from freehold.identity.rights import Rights
from freehold.identity.standings import MOST_REMEMBERED, Standing, Standings
from freehold.identity.tokens import AccessClaims, AccessTokens, invalid_token
from freehold.resource import clock
from freehold.resource.principal import ANONYMOUS, MULTI_FACTOR, Principal


def unproved_token() -> Unauthenticated:
    """The refusal of a token that is bound to a key: the scheme to come with is another (RFC 9449 7.1)."""
    challenge = {"WWW-Authenticate": 'DPoP error="invalid_token"'}
    return Unauthenticated("The access token is not valid.", headers=challenge)


class Bearer:
    """Bearer tokens (RFC 6750), in the Authorization header alone."""

    def __init__(self, tokens: AccessTokens, standings: Standings, *, rights: Rights = Rights()) -> None:  # noqa: B008 (frozen)
        self._tokens = tokens
        self._rights = rights
        self._standings = standings
        self._verified: OrderedDict[str, AccessClaims] = OrderedDict()

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """See `Authenticator`. Roles are those that the user has now, whatever the token lists."""
        if not authorization:
            return ANONYMOUS
        if len(authorization) > 1:
            raise invalid_token()
        scheme, _, rest = authorization[0].partition(" ")
        token = rest.strip(" ")
        if scheme.lower() != "bearer" or not token or " " in token or not (token.isascii() and token.isprintable()):
            raise Unauthenticated("The Authorization header holds no bearer token.", invalid_token=True)
        return await self.holder(token)

    def known(self, authorization: str) -> Principal | None:
        """The same where nothing has to be waited for: a token that was verified, of a log-in that is remembered.

        None for anything else, also for what `authenticate` would refuse.
        """
        scheme, _, token = authorization.partition(" ")
        claims = self._verified.get(token)
        if claims is None or scheme.lower() != "bearer":
            return None
        now = clock.now()
        standing = self._standings.known(claims.session_id, claims_factor=MULTI_FACTOR in claims.amr)
        if standing is None or not self._is_held(claims, standing, now):
            return None
        if claims.key_thumbprint is not None or not self._tokens.is_surely_current(claims, now):
            return None
        return self._principal(claims, standing, now)

    async def holder(self, token: str, *, key_thumbprint: str | None = None) -> Principal:
        """Who holds the token. key_thumbprint: of a key that the caller has proved to hold (RFC 9449); None for a bearer.

        Raises Unauthenticated.
        """
        claims = await self._claims(token)
        if claims.key_thumbprint != key_thumbprint:  # as a bearer's, it would be good for whoever has stolen it
            raise invalid_token() if claims.key_thumbprint is None else unproved_token()
        standing = await self._standings.find(claims.session_id, claims_factor=MULTI_FACTOR in claims.amr)
        now = clock.now()
        if standing is None or not self._is_held(claims, standing, now):
            raise invalid_token()
        return self._principal(claims, standing, now)

    @staticmethod
    def _is_held(claims: AccessClaims, standing: Standing, now: datetime) -> bool:
        return standing.is_good and standing.user_id == claims.subject and standing.ends_at > now

    def _principal(self, claims: AccessClaims, standing: Standing, now: datetime) -> Principal:
        """How the person logged in is what the token says: a proof given later is in the tokens that it earned.

        A second factor counts for as long as the log-in has it: with the last one removed it is gone from tokens, too.
        """
        amr = claims.amr if standing.has_factor else claims.amr - {MULTI_FACTOR}
        counts, withheld = self._rights.counting(standing.roles, amr)
        return Principal(
            id=claims.subject,
            roles=counts,
            scopes=claims.scope,
            session_id=claims.session_id,
            authenticated_at=claims.authenticated_at,
            amr=amr,
            withheld=withheld,
            client_id=claims.client_id,
            claims={} if claims.actor_id is None else {"act": {"sub": str(claims.actor_id)}},
            seen_at=now,
        )

    def forget_all(self) -> None:
        """Verify and look up everything anew."""
        self._verified.clear()
        self._standings.forget_all()

    async def _claims(self, token: str) -> AccessClaims:
        """Verify the signature once per token and process; the times are looked at every time."""
        known = self._verified.get(token)
        if known is not None and await self._tokens.is_current(known):
            return known
        claims = await self._tokens.verify(token)
        self._verified[token] = claims
        if len(self._verified) > MOST_REMEMBERED:
            self._verified.popitem(last=False)
        return claims

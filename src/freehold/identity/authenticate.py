"""From an Authorization header to a principal with the rights of this moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from freehold.errors import Unauthenticated
from freehold.identity.rights import Rights
from freehold.identity.standings import MOST_REMEMBERED, Standing, Standings
from freehold.identity.tokens import AccessClaims, AccessTokens, invalid_token
from freehold.resource import clock
from freehold.resource.principal import ANONYMOUS, MULTI_FACTOR, Principal

_NO_CLAIMS: Final[Mapping[str, Any]] = MappingProxyType({})


def unproved_token() -> Unauthenticated:
    """The refusal of a token that is bound to a key: the scheme to come with is another (RFC 9449 7.1)."""
    challenge = {"WWW-Authenticate": 'DPoP error="invalid_token"'}
    return Unauthenticated("The access token is not valid.", headers=challenge)


class _Verified:
    """A token whose signature is good, and what it comes to with its log-in as that was looked at last."""

    __slots__ = (
        "_holder", "_seen_second", "amr", "claims", "claims_factor", "counts", "is_good", "standing", "withheld",
    )  # fmt: skip

    def __init__(self, claims: AccessClaims) -> None:
        self.claims = claims
        self.claims_factor = MULTI_FACTOR in claims.amr
        self.standing: Standing | None = None
        self.is_good = False
        self._holder: Principal | None = None
        self._seen_second = 0
        self.amr = self.counts = self.withheld = frozenset[str]()

    def look_at(self, standing: Standing, rights: Rights) -> None:
        """From now on this is how its log-in stands.

        How the person logged in is what the token says: a proof given later is in the tokens that it earned. A second
        factor counts for as long as the log-in has it: with the last one removed it is gone from tokens, too.
        """
        if standing is self.standing:
            return
        self._holder = None
        self.is_good = standing.is_good and standing.user_id == self.claims.subject
        self.amr = self.claims.amr if standing.has_factor else self.claims.amr - {MULTI_FACTOR}
        self.counts, self.withheld = rights.counting(standing.roles, self.amr)
        self.standing = standing

    def holder(self, now: datetime) -> Principal | None:
        """Who calls with it now; None where the log-in is over.

        Seen at the end of this second, so that its requests have one principal: a log-in is taken for older than it is, never
        for younger.
        """
        if not self.is_good or self.standing is None or self.standing.ends_at <= now:
            return None
        second = ceil(now.timestamp())
        if self._holder is None or second != self._seen_second:
            self._holder, self._seen_second = self._seen(datetime.fromtimestamp(second, UTC)), second
        return self._holder

    def _seen(self, at: datetime) -> Principal:
        claims = self.claims
        return Principal(
            id=claims.subject,
            roles=self.counts,
            scopes=claims.scope,
            session_id=claims.session_id,
            authenticated_at=claims.authenticated_at,
            amr=self.amr,
            withheld=self.withheld,
            client_id=claims.client_id,
            claims=_NO_CLAIMS if claims.actor_id is None else _acting(claims.actor_id),
            seen_at=at,
        )


def _acting(actor_id: UUID) -> Mapping[str, Any]:
    """Who acts in the account, as a principal tells it to many requests: not to be changed, and within it plain, as JSON wants it."""
    return MappingProxyType({"act": {"sub": str(actor_id)}})


class Bearer:
    """Bearer tokens (RFC 6750), in the Authorization header alone."""

    def __init__(self, tokens: AccessTokens, standings: Standings, *, rights: Rights = Rights()) -> None:  # noqa: B008 (frozen)
        self._tokens = tokens
        self._rights = rights
        self._standings = standings
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

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
        found = self._verified.get(token)
        if found is None or scheme.lower() != "bearer" or found.claims.key_thumbprint is not None:
            return None
        standing = self._standings.known(found.claims.session_id, claims_factor=found.claims_factor)
        now = clock.now()
        if standing is None or not self._tokens.is_surely_current(found.claims, now):
            return None
        found.look_at(standing, self._rights)
        return found.holder(now)

    async def holder(self, token: str, *, key_thumbprint: str | None = None) -> Principal:
        """Who holds the token. key_thumbprint: of a key that the caller has proved to hold (RFC 9449); None for a bearer.

        Raises Unauthenticated.
        """
        found = await self._found(token)
        claims = found.claims
        if claims.key_thumbprint != key_thumbprint:  # as a bearer's, it would be good for whoever has stolen it
            raise invalid_token() if claims.key_thumbprint is None else unproved_token()
        standing = await self._standings.find(claims.session_id, claims_factor=found.claims_factor)
        if standing is None:
            raise invalid_token()
        found.look_at(standing, self._rights)
        holder = found.holder(clock.now())
        if holder is None:
            raise invalid_token()
        return holder

    def forget_all(self) -> None:
        """Verify and look up everything anew."""
        self._verified.clear()
        self._standings.forget_all()

    async def _found(self, token: str) -> _Verified:
        """Verify the signature once per token and process; the times are looked at every time."""
        known = self._verified.get(token)
        if known is not None and await self._tokens.is_current(known.claims):
            return known
        made = self._verified[token] = _Verified(await self._tokens.verify(token))
        if len(self._verified) > MOST_REMEMBERED:
            self._verified.popitem(last=False)
        return made

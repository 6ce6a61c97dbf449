"""From an Authorization header to a principal with the rights of this moment."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, select

from freehold.errors import Unauthenticated
from freehold.identity.rights import Rights
from freehold.identity.tables import SESSIONS
from freehold.identity.tokens import AccessClaims, AccessTokens, invalid_token
from freehold.identity.users import UserMixin
from freehold.resource import clock
from freehold.resource.principal import ANONYMOUS, MULTI_FACTOR, Principal, system
from freehold.store.executor import Plan

if TYPE_CHECKING:
    from freehold.store.database import Database

# A log-out or a lost role acts at once in the process that did it, and within this time in the others (T11, T15: 5 s).
REMEMBERED_SECONDS = 2.0
MOST_REMEMBERED = 10_000
_SESSION = "session_id"


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a log-in may do, as read from the database at `read_at` (monotonic)."""

    user_id: UUID
    roles: frozenset[str]
    ends_at: datetime
    has_factor: bool
    is_good: bool
    read_at: float


class Standings:
    """The state of log-ins, read from the database and remembered for two seconds."""

    def __init__(self, database: Database, *, user: type[UserMixin]) -> None:
        self._database = database
        self._plan = _plan(user)
        self._known: OrderedDict[UUID, _Standing] = OrderedDict()
        self._forgotten = 0

    async def find(self, session_id: UUID, *, claims_factor: bool = False) -> _Standing | None:
        """The standing of a log-in; None when there is none such. A failing database fails the request, as it must.

        claims_factor: a token of it was earned by a second factor, perhaps after what is remembered here was read.
        """
        known = self.known(session_id, claims_factor=claims_factor)
        if known is not None:
            return known
        forgotten = self._forgotten
        found = await self._read(session_id)
        # A read that began before something was forgotten may be older than what it was forgotten for.
        if found is not None and forgotten == self._forgotten:
            self._known[session_id] = found
            self._known.move_to_end(session_id)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    def known(self, session_id: UUID, *, claims_factor: bool) -> _Standing | None:
        """The same, of what is remembered; None where it has to be read."""
        known = self._known.get(session_id)
        if known is None or (claims_factor and not known.has_factor):
            return None
        return known if time.monotonic() - known.read_at < REMEMBERED_SECONDS else None

    def forget(self, about: UUID) -> None:
        """Drop what is remembered of a log-in, or of all log-ins of a user."""
        self._forgotten += 1
        if self._known.pop(about, None) is None:
            for session_id in [key for key, standing in self._known.items() if standing.user_id == about]:
                del self._known[session_id]

    def forget_all(self) -> None:
        """Drop everything that is remembered."""
        self._forgotten += 1
        self._known.clear()

    async def _read(self, session_id: UUID) -> _Standing | None:
        # The time before the look: what is committed during it may be missed, and must not be remembered longer.
        read_at = time.monotonic()
        # Never on a replica. Log-ins that are looked up at one moment share a statement, however many they are.
        async with self._database.asking(system("authenticate")) as asking:
            rows = await asking.fetch(self._plan, {_SESSION: session_id})
        if not rows:
            return None
        row = rows[0]
        return _Standing(
            row.user_id,
            frozenset(row.roles or ()),
            row.expires_at,
            has_factor=MULTI_FACTOR in (row.amr or "").split(),
            is_good=row.is_active and row.ended_at is None,
            read_at=read_at,
        )


def _plan(model: Any) -> Plan:
    table = model.__table__
    user = table.c
    query = (
        select(SESSIONS.c.user_id, SESSIONS.c.ended_at, SESSIONS.c.expires_at, SESSIONS.c.amr)
        .add_columns(user.roles, user.is_active)
        .join(table, user.id == SESSIONS.c.user_id)
        .where(SESSIONS.c.id == bindparam(_SESSION, type_=SESSIONS.c.id.type))
    )
    return Plan(query, ("standing",), key=_SESSION)


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

        None for anything else, whatever would be refused among it.
        """
        scheme, _, token = authorization.partition(" ")
        claims = self._verified.get(token)
        if claims is None or scheme.lower() != "bearer":
            return None
        now = clock.now()
        standing = self._standings.known(claims.session_id, claims_factor=MULTI_FACTOR in claims.amr)
        is_good = standing is not None and self._is_held(claims, standing, now) and claims.key_thumbprint is None
        if standing is None or not is_good or not self._tokens.is_surely_current(claims, now):
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
    def _is_held(claims: AccessClaims, standing: _Standing, now: datetime) -> bool:
        return standing.is_good and standing.user_id == claims.subject and standing.ends_at > now

    def _principal(self, claims: AccessClaims, standing: _Standing, now: datetime) -> Principal:
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

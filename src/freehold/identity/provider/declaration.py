"""`Provider`: the service lets applications of others ask its people for access. Off unless it is declared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from freehold.errors import ConfigurationError
from freehold.identity.provider import codes, devices, discovery, once, pushed
from freehold.identity.provider.authentication import ClientAuthentication
from freehold.identity.provider.clients import Clients
from freehold.identity.provider.exchange import Exchange
from freehold.identity.provider.families import Families
from freehold.identity.provider.id_tokens import IdTokens
from freehold.identity.provider.log_outs import LogOuts
from freehold.identity.provider.proofs import Nonces
from freehold.identity.provider.scopes import STANDARD
from freehold.identity.provider.tickets import Tickets
from freehold.identity.provider.tokens_at_hand import TokensAtHand
from freehold.identity.session_values import Lifetimes
from freehold.identity.sessions import Sessions
from freehold.resource import clock
from freehold.resource.quotas import Quota

if TYPE_CHECKING:
    from uuid import UUID

    from freehold.identity.keys import KeyRing
    from freehold.identity.standings import Standings
    from freehold.identity.tokens import AccessTokens
    from freehold.identity.users import UserMixin
    from freehold.jobs import Job
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.traffic.limits import Limiter
    from freehold.wording import Phrase

_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,63}")
OF_A_CLIENT = Quota(1200, timedelta(minutes=1), when_away="count")
OF_A_PUBLIC_CLIENT = Quota(300, timedelta(minutes=1), when_away="count")
OF_PUBLIC_CLIENTS = Quota(600, timedelta(minutes=1), when_away="count")
"""Of one address, whichever public clients it names."""
_KEPT = ("account",)
"""Scopes that no application of others can have: they change what protects an account."""


@dataclass(frozen=True, slots=True)
class ProviderParts:
    """What `Provider.bind` puts together. sentences: of the service's own scopes. nonces: where proofs need one; None otherwise."""

    issuer: str
    scopes: Sequence[str]
    sentences: Mapping[str, str | Phrase]
    clients: Clients
    families: Families
    authentication: ClientAuthentication
    exchange: Exchange
    tokens_at_hand: TokensAtHand
    id_tokens: IdTokens
    tickets: Tickets
    nonces: Nonces | None
    quota: Quota
    public_quota: Quota
    public_bound: Quota


@dataclass(eq=False, kw_only=True)
class Provider:
    """Act as an OAuth 2.1 and OpenID Connect provider.

    scopes: names and, for each, the sentence that the consent page shows ("See your reservations"), or a `phrase` that
    `Pages(words=...)` has in other languages. An operation is open
    to an application where its access rule names a scope that the person has allowed, `... & scope("reservations:read")`,
    or where it is open to anyone; every other is closed to applications, whoever stands behind them.
    lifetimes: of what an application holds. asks_for_nonce: DPoP proofs carry a nonce of the server (RFC 9449 8).
    quota: of one client that has proved itself, over everything that clients ask. public_quota: of a public client, from one
    address; one address has at most 600 a minute, whichever it names. Who names no client has 60 for each endpoint.
    """

    scopes: Mapping[str, str | Phrase] = field(default_factory=dict)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    asks_for_nonce: bool = False
    quota: Quota = OF_A_CLIENT
    public_quota: Quota = OF_A_PUBLIC_CLIENT

    def __post_init__(self) -> None:
        """Refuse scopes that could not work. Raises ConfigurationError."""
        for name, sentence in self.scopes.items():
            if not _NAME.fullmatch(name) or name in _KEPT or name in STANDARD:
                raise ConfigurationError(
                    f"Provider(scopes={{{name!r}: ...}}): a name of its own in lower case, such as reservations:read"
                )
            if not str(getattr(sentence, "text", sentence)).strip():
                raise ConfigurationError(f"Provider(scopes={{{name!r}: ...}}): say to people what it lets others do")
        self._log_outs = LogOuts()

    @property
    def jobs(self) -> list[Job[...]]:
        """What the process's `Jobs` must know."""
        return [self._log_outs.job]

    def bind(
        self,
        database: Database,
        *,
        secret: bytes,
        user: type[UserMixin],
        sessions: Sessions,
        tokens: AccessTokens,
        keys: KeyRing,
        standings: Standings,
        limiter: Limiter,
    ) -> ProviderParts:
        """Put the parts together; nothing connects yet."""
        scopes, issuer = (*STANDARD, *self.scopes), tokens.issuer
        families = Families(sessions, lifetimes=self.lifetimes)
        clients, id_tokens = Clients(scopes=scopes, families=families), IdTokens(tokens, keys)
        self._log_outs.bind(clients, families, id_tokens)
        sessions.followers.append(self._log_outs)

        async def is_good(session_id: UUID) -> bool:
            standing = await standings.find(session_id)
            return standing is not None and standing.is_good and clock.now() < standing.ends_at

        return ProviderParts(
            issuer=issuer,
            scopes=scopes,
            sentences=self.scopes,
            clients=clients,
            families=families,
            authentication=ClientAuthentication(
                database, clients, limiter, audiences=(issuer, issuer + discovery.TOKEN)
            ),
            exchange=Exchange(database, families, id_tokens, user=user, scopes=scopes),
            tokens_at_hand=TokensAtHand(families, tokens, is_good=is_good),
            id_tokens=id_tokens,
            tickets=Tickets(secret),
            nonces=Nonces(secret) if self.asks_for_nonce else None,
            quota=self.quota,
            public_quota=self.public_quota,
            public_bound=OF_PUBLIC_CLIENTS,
        )

    async def sweep(self, session: Session) -> None:
        """Remove what is over."""
        for part in (codes, devices, pushed, once):
            await part.sweep(session)

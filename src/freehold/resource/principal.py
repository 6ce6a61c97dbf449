"""Who acts: the only thing that the rest of Freehold knows about identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from freehold.resource import clock

MULTI_FACTOR: Final = "mfa"
"""The authentication method (RFC 8176) of a log-in by two factors, or by a passkey that knows its user."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of an operation or the owner of a job.

    id: None for nobody and for the system. roles: as they stand now, not as a token remembers them.
    scopes: None means unrestricted (first-party log-in); a set restricts, and a role has to allow as well.
    reason: set for the system only; says why it acts without a caller.
    claims: what a provider of one's own wants to hand on (an organisation, a device); a rule may read it.
    session_id: the log-in behind the token, for log-out. key_id: the API key behind the call; with no id it is a key
    of the service, which acts for nobody.
    authenticated_at: when a person last proved who they are; None where nobody did (a key, a job of the system).
    amr: how they did (RFC 8176: `pwd`, `otp`, `pop`, `mfa`). withheld: roles that count once a second factor is proved.
    seen_at: the moment of the request (by a token of the service's own: the end of its second), against which
    `authenticated_at` is measured: a rule gives one answer in all of it.
    client_id: the application of others that acts for the caller; it may do what a scope names, and nothing else.
    rights: equal for callers whom the same rules let in, as far as these do not ask how and when somebody logged in. A
    credential that acts for nobody is not nobody, and an application is not whom it acts for, whatever scopes they share.
    """

    id: UUID | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    reason: str | None = None
    session_id: UUID | None = None
    key_id: UUID | None = None
    client_id: UUID | None = None
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    authenticated_at: datetime | None = None
    amr: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    seen_at: datetime = field(default_factory=clock.now, hash=False, compare=False, repr=False)
    rights: tuple[Any, ...] = field(init=False, hash=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        rights = self.id is None, self.key_id is None, self.client_id is None, self.roles, self.scopes
        object.__setattr__(self, "rights", rights)

    @property
    def is_anonymous(self) -> bool:
        """Nobody: no id, no key of the service, and not the system."""
        return self.id is None and self.key_id is None and self.reason is None

    @property
    def is_system(self) -> bool:
        """The named exception: acts without a row rule."""
        return self.reason is not None

    @property
    def has_factor(self) -> bool:
        """Whether a second factor was proved in this log-in, or a passkey that knows its user."""
        return MULTI_FACTOR in self.amr

    @property
    def authentication_age(self) -> float | None:
        """Seconds between the last proof of who they are and this request; None where there was none."""
        return None if self.authenticated_at is None else (self.seen_at - self.authenticated_at).total_seconds()

    def has_scope(self, name: str) -> bool:
        """Whether the token's scopes allow `name`."""
        return self.scopes is None or name in self.scopes


ANONYMOUS = Principal()


def system(reason: str) -> Principal:
    """The principal of migrations, imports and sweeps. `reason` is required, logged, and can be searched for."""
    if not reason.strip():
        raise ValueError("system() needs a reason: a short phrase that says why no caller's rule applies")
    return Principal(reason=reason)


class Authenticator(Protocol):
    """Turns credentials into a principal. Give one of your own to use another identity system."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """The caller behind the values of the Authorization headers (as sent, in order; usually none or one).

        No header is `ANONYMOUS`. Raises `Unauthenticated` for a credential that is not good, with the same body
        whatever was wrong with it.
        """
        ...


class Finder(Protocol):
    """What an `Authenticator` may offer besides: jobs and webhooks ask who somebody is by the time they run."""

    async def find(self, principal_id: UUID) -> Principal | None:
        """The principal with this id as it stands now; None when it is gone or closed."""
        ...

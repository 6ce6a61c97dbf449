"""How somebody proved who they are, and from whom a second factor is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from freehold.resource import clock
from freehold.resource.principal import MULTI_FACTOR

# Authentication methods (RFC 8176 2).
PASSWORD: Final = "pwd"  # noqa: S105 (its name, not one)
CODE: Final = "otp"
KEY: Final = "pop"
"""A passkey. Whether hardware holds it is not known without attestation, so neither `hwk` nor `swk` is claimed."""
PRESENT: Final = "user"
FEDERATED: Final = "fed"
"""By another provider. What it asked of the person is not known here. Not of RFC 8176, which has none for it."""
LINK: Final = "link"
"""By a link that was mailed to the account's address. Not of RFC 8176, which has none for it either."""

# Authentication context classes, after the levels of NIST SP 800-63B.
ONE_FACTOR: Final = "aal1"
TWO_FACTORS: Final = "aal2"

EVERYONE: Final = "everyone"


@dataclass(frozen=True, slots=True)
class Authentication:
    """A proof of who somebody is. at: when it was complete. amr: by what (RFC 8176), `mfa` among it for two factors."""

    amr: frozenset[str]
    at: datetime = field(default_factory=clock.now)

    @classmethod
    def by(cls, *methods: str) -> Authentication:
        """One of this moment."""
        return cls(frozenset(methods))

    @classmethod
    def stored(cls, at: datetime, amr: str | None) -> Authentication:
        """As a log-in keeps it; those from before it was noted were by password."""
        return cls(frozenset((amr or PASSWORD).split()), at)

    @property
    def text(self) -> str:
        """The methods as they are stored."""
        return " ".join(sorted(self.amr))

    @property
    def has_factor(self) -> bool:
        """Whether it was by two factors."""
        return MULTI_FACTOR in self.amr

    @property
    def claims(self) -> dict[str, Any]:
        """As a token has them (OIDC Core 2, RFC 9068 2.2.1)."""
        acr = TWO_FACTORS if self.has_factor else ONE_FACTOR
        return {"auth_time": int(self.at.timestamp()), "amr": sorted(self.amr), "acr": acr}


@dataclass(frozen=True, slots=True)
class Requirement:
    """From whom a second factor is asked: `roles`, or everyone."""

    roles: frozenset[str] = frozenset()
    of_everyone: bool = False

    @classmethod
    def of(cls, declared: Collection[str] | str) -> Requirement:
        """As `Identity(factor_required_for=…)` says it."""
        if isinstance(declared, str):
            if declared != EVERYONE:
                raise ValueError(f"give the names of roles in a set, or {EVERYONE!r}; {declared!r} is neither")
            return cls(of_everyone=True)
        return cls(frozenset(declared))

    def concerns(self, roles: Collection[str]) -> bool:
        """Whether an account with these roles has to have a factor."""
        return self.of_everyone or not self.roles.isdisjoint(roles)

    def counting(self, roles: frozenset[str], amr: Collection[str]) -> frozenset[str]:
        """The roles that count in a log-in: one that asks for a factor counts where a factor was proved."""
        return roles if MULTI_FACTOR in amr else roles - self.roles


NO_REQUIREMENT: Final = Requirement()

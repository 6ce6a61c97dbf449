"""What the roles of an account come to in one log-in: what they include, less what asks for a second factor."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from freehold.identity.authentication import NO_REQUIREMENT, Requirement
from freehold.resource.roles import Roles


@dataclass(frozen=True, slots=True)
class Rights:
    """As `Identity(roles=…, factor_required_for=…)` says. roles: None where a role includes nothing."""

    roles: Roles | None = None
    requirement: Requirement = NO_REQUIREMENT

    @classmethod
    def of(cls, roles: Roles | None, requirement: Requirement) -> Rights:
        """A role that comes to one for which a factor is required requires one too: nothing is reached around it."""
        if roles is not None:
            named = requirement.roles | {above for name in requirement.roles for above in roles.holding(name)}
            requirement = Requirement(named, requirement.of_everyone)
        return cls(roles, requirement)

    def all(self, held: Iterable[str]) -> frozenset[str]:
        """Roles, and what they come to, however their holder logged in."""
        return frozenset(held) if self.roles is None else self.roles.expanded(held)

    def counting(self, held: frozenset[str], amr: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """What counts in a log-in by these methods, and what would besides with a second factor."""
        counts = self.all(self.requirement.counting(held, amr))
        return counts, self.all(held) - counts

"""What a further log-in could do for a caller whom a rule refuses (RFC 9470)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from freehold.errors import InsufficientAuthentication
from freehold.identity.authentication import TWO_FACTORS
from freehold.resource.access import Recent, Role, Rule, WithFactor
from freehold.resource.principal import MULTI_FACTOR, Principal


@dataclass(frozen=True, slots=True)
class StepUp:
    """A log-in that was not there yet. max_age: it has to be that recent, in seconds. factor: with a second factor."""

    max_age: int | None
    factor: bool

    def done_by(self, principal: Principal) -> Principal:
        """The caller, had they done it."""
        done = principal
        if self.max_age is not None:
            done = replace(done, authenticated_at=done.seen_at)
        if self.factor:
            done = replace(done, amr=done.amr | {MULTI_FACTOR}, roles=done.roles | done.withheld, withheld=frozenset())
        return done

    def refusal(self) -> InsufficientAuthentication:
        """The answer that asks for it."""
        return InsufficientAuthentication(max_age=self.max_age, acr_values=TWO_FACTORS if self.factor else None)


def step_ups(rule: Rule, principal: Principal) -> list[StepUp]:
    """Those that the rule asks about and this caller could still do, the least first. None for a key: no log-in helps."""
    if principal.id is None or principal.key_id is not None:
        return []
    atoms = rule.atoms()
    age = principal.authentication_age
    asked = [atom.seconds for atom in atoms if isinstance(atom, Recent) and (age is None or age > atom.seconds)]
    max_age = min(asked, default=None)
    found = [] if max_age is None else [StepUp(max_age, factor=False)]
    if not principal.has_factor and any(_is_about_factor(atom, principal) for atom in atoms):
        found.append(StepUp(None, factor=True))
        if max_age is not None:
            found.append(StepUp(max_age, factor=True))
    return found


def _is_about_factor(atom: Rule, principal: Principal) -> bool:
    return isinstance(atom, WithFactor) or (isinstance(atom, Role) and not principal.withheld.isdisjoint(atom.names))

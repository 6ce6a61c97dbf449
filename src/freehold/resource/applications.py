"""What of a rule counts for an application of others, which acts for a person by the scopes that the person has allowed."""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

from freehold.resource.access import All, Either, Rule, Scope, nobody
from freehold.resource.principal import ANONYMOUS, Principal

Branch: TypeAlias = tuple[Rule, ...]
"""Parts that have to hold together: one way to satisfy a rule."""


def names_scope(rule: Rule) -> bool:
    """Whether a rule says anything about applications at all."""
    return any(isinstance(atom, Scope) for atom in rule.atoms())


def counting_for(rule: Rule, principal: Principal) -> Rule:
    """The rule as it counts for a caller: for an application less the ways that name no scope and are not open to anyone.

    In `owner("id") | role("staff") & scope("x")` the first is the person's own way: with whatever scope an application
    holds, also none, it would pass by it. A rule without any scope stays what it is: the guard closes its operation.
    """
    if principal.client_id is None or not names_scope(rule):
        return rule
    branches = _branches(rule)
    kept = [branch for branch in branches if _is_for_applications(branch)]
    if len(kept) == len(branches):
        return rule
    ways = [branch[0] if len(branch) == 1 else All(branch) for branch in kept]
    return Either(tuple(ways)) if len(ways) > 1 else (ways[0] if ways else nobody)


def _branches(rule: Rule) -> list[Branch]:
    if isinstance(rule, Either):
        return [branch for part in rule.rules for branch in _branches(part)]
    if isinstance(rule, All):
        return [sum(parts, ()) for parts in product(*(_branches(part) for part in rule.rules))]
    return [(rule,)]


def _is_for_applications(branch: Branch) -> bool:
    return any(isinstance(part, Scope) for part in branch) or all(part.simplify(ANONYMOUS) != nobody for part in branch)

"""The parent of an `at_most` whose limit stands in a column of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table

from freehold.errors import ConfigurationError
from freehold.resource.invariants import AtMost
from freehold.store.invariant_walls import Bound


@dataclass(frozen=True, slots=True)
class Parent:
    """table, key: what `per` points to. limit: the column with the number."""

    table: Table
    key: str
    limit: str


def parent_of(bound: Bound) -> Parent | None:
    """Where the limit of an `at_most` stands; None when it is a number. Raises ConfigurationError when it is nowhere."""
    rule = bound.invariant
    if not isinstance(rule, AtMost) or isinstance(rule.limit, int) or rule.own_limit is not None:
        return None
    keys = list(bound.table.c[rule.per[0]].foreign_keys) if len(rule.per) == 1 else []
    if len(keys) != 1:
        raise ConfigurationError(
            f"{bound.name}: at_most({rule.limit!r}) reads the limit from the parent, so per={rule.per!r} must be a foreign "
            f"key to one table; it has {len(keys)}. A limit that each row brings is limit_in='row'"
        )
    target = keys[0].column
    if rule.limit not in target.table.c:
        raise ConfigurationError(f"{bound.name}: {target.table.name!r} has no column {rule.limit!r}")
    return Parent(target.table, target.name, rule.limit)

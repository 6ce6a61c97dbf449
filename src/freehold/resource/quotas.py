"""How often an operation may be asked for, as a resource or an endpoint declares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from freehold.errors import ConfigurationError
from freehold.resource.principal import Principal

WhenAway: TypeAlias = Literal["open", "count", "refuse"]


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` units in any `window`. (Above 100 units: `limit` at once, then evenly.)

    roles: the limits of callers who hold a role, in place of `limit`; the largest counts. anonymous: the limit of those
    who are not signed in, who are counted by address.
    when_away: what holds while the Redis that processes count in is away: `open` lets everyone through, `count` counts in
    each process, `refuse` answers 503.
    window_seconds: in whole seconds, at least one. varies: whether it is another one for some callers.
    """

    limit: int
    window: timedelta
    roles: Mapping[str, int] = field(default_factory=dict, kw_only=True, hash=False)
    anonymous: int | None = field(default=None, kw_only=True)
    when_away: WhenAway = field(default="open", kw_only=True)
    window_nanoseconds: int = field(init=False, compare=False, repr=False)
    window_seconds: int = field(init=False, compare=False, repr=False)
    varies: bool = field(init=False, compare=False, repr=False)
    _others: Mapping[int, Quota] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.least < 1 or self.window <= timedelta(0):
            raise ValueError("a quota is at least one unit in a window longer than zero")
        limits = {*self.roles.values()} if self.anonymous is None else {self.anonymous, *self.roles.values()}
        others = {limit: Quota(limit, self.window, when_away=self.when_away) for limit in limits}
        object.__setattr__(self, "window_nanoseconds", round(self.window.total_seconds() * 1_000_000_000))
        object.__setattr__(self, "window_seconds", max(1, round(self.window.total_seconds())))
        object.__setattr__(self, "varies", bool(others))
        object.__setattr__(self, "_others", others)

    @property
    def least(self) -> int:
        """The limit of those who may the least."""
        return min(self.limit, *self.roles.values(), self.limit if self.anonymous is None else self.anonymous)

    def of(self, principal: Principal) -> Quota:
        """What counts for this caller."""
        if not self.varies:
            return self
        if principal.is_anonymous and self.anonymous is not None:
            return self._others[self.anonymous]
        held = [limit for role, limit in self.roles.items() if role in principal.roles]
        return self._others[max(held)] if held else self

    def describe(self) -> str:
        """As a person writes it: `1000 in 1 hour`."""
        return f"{self.limit} in {_spoken(self.window_seconds)}"


def per_minute(
    limit: int,
    *,
    roles: Mapping[str, int] | None = None,
    anonymous: int | None = None,
    when_away: WhenAway = "open",
) -> Quota:
    """So many units in any minute; see `Quota`."""
    return Quota(limit, timedelta(minutes=1), roles=roles or {}, anonymous=anonymous, when_away=when_away)


def per_hour(
    limit: int,
    *,
    roles: Mapping[str, int] | None = None,
    anonymous: int | None = None,
    when_away: WhenAway = "open",
) -> Quota:
    """So many units in any hour; see `Quota`."""
    return Quota(limit, timedelta(hours=1), roles=roles or {}, anonymous=anonymous, when_away=when_away)


def per_day(
    limit: int,
    *,
    roles: Mapping[str, int] | None = None,
    anonymous: int | None = None,
    when_away: WhenAway = "open",
) -> Quota:
    """So many units in any 24 hours; see `Quota`."""
    return Quota(limit, timedelta(days=1), roles=roles or {}, anonymous=anonymous, when_away=when_away)


Quotas: TypeAlias = Quota | Sequence[Quota]


@dataclass(frozen=True, slots=True)
class Limits:
    """The quotas of a resource, or of what says nothing of its own in a service.

    read, write: one count per caller for all GETs, and one for everything else. operations: quotas of single operations
    instead: `list one create update delete restoration history`, or the name of an action, view, overview or nested
    collection. Several quotas hold together (`[per_minute(10), per_day(500)]`). costs: units that one request of an
    operation takes, 1 where it is not named. at_once: so many requests of an operation in progress in one process, or in
    all that share a Redis; past it 503, at once. at_once_each: so many of one caller; past it 429.
    """

    read: Quotas = ()
    write: Quotas = ()
    operations: Mapping[str, Quotas] = field(default_factory=dict, hash=False)
    costs: Mapping[str, int] = field(default_factory=dict, hash=False)
    at_once: Mapping[str, int] = field(default_factory=dict, hash=False)
    at_once_each: Mapping[str, int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for given in (self.costs, self.at_once, self.at_once_each):
            for operation, number in given.items():
                if number < 1:
                    raise ConfigurationError(f"Limits: {operation!r} has {number}: give 1 or more")

    @property
    def named(self) -> set[str]:
        """The operations that it speaks of."""
        return {*self.operations, *self.costs, *self.at_once, *self.at_once_each}


def listed(quotas: Quotas) -> tuple[Quota, ...]:
    """One quota or several, as several."""
    return (quotas,) if isinstance(quotas, Quota) else tuple(quotas)


def _spoken(seconds: int) -> str:
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % length == 0:
            number = seconds // length
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{seconds} seconds" if seconds > 1 else "1 second"

"""What holds for one operation: the declared limits of its resource and of the service, settled at the start."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from freehold.errors import ConfigurationError
from freehold.resource.quotas import Limits, Quota, Quotas, listed


@dataclass(frozen=True, slots=True)
class Policy:
    """The quotas of an operation by the names that clients see, what one request costs, and how many may run at once.

    operation: counts what is in progress, and stands in the metrics. limits_progress: whether requests in progress are
    counted. is_nothing: whether nothing is limited.
    """

    operation: str
    quotas: tuple[tuple[str, Quota], ...] = ()
    cost: int = 1
    at_once: int | None = None
    at_once_each: int | None = None
    limits_progress: bool = field(init=False, compare=False, repr=False)
    is_nothing: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        limits_progress = self.at_once is not None or self.at_once_each is not None
        object.__setattr__(self, "limits_progress", limits_progress)
        object.__setattr__(self, "is_nothing", not self.quotas and self.cost == 1 and not limits_progress)
        for name, quota in self.quotas:
            if quota.least < self.cost:
                raise ConfigurationError(
                    f"{name}: {quota.describe()} never lets a request of {self.operation!r} pass, which costs {self.cost}"
                )

    def describe(self) -> str:
        """As a person writes it; empty where nothing is limited."""
        parts = [quota.describe() for _, quota in self.quotas]
        parts += [f"cost {self.cost}"] if self.quotas and self.cost > 1 else []
        parts += [] if self.at_once is None else [f"{self.at_once} at once"]
        parts += [] if self.at_once_each is None else [f"{self.at_once_each} at once each"]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Defaults:
    """The policies of a service, for what says nothing of its own."""

    read: Policy = Policy("read")
    write: Policy = Policy("write")

    @classmethod
    def of(cls, limits: Limits | None) -> Defaults:
        """Raises ConfigurationError where the service's limits speak of single operations."""
        given = limits or Limits()
        if given.named:
            raise ConfigurationError(
                f"the limits of a service are those of read and write; {', '.join(sorted(given.named))} belongs to the "
                "limits of a resource, or to allow(...) of an endpoint"
            )
        return cls(Policy("read", _named("read", given.read)), Policy("write", _named("write", given.write)))

    def complete(self, policy: Policy | None, *, writes: bool) -> Policy:
        """What holds for an operation: its own quotas, or else the service's."""
        default = self.write if writes else self.read
        if policy is None:
            return default
        return policy if policy.quotas or not default.quotas else replace(policy, quotas=default.quotas)


def resource_policy(resource: str, limits: Limits, name: str, *, operation: str, writes: bool) -> Policy:
    """The policy of an operation of a resource. name: what its limits call it. The most specific quota counts."""
    quotas = _named(f"{resource}-write", limits.write) if writes else _named(f"{resource}-read", limits.read)
    if name in limits.operations:
        quotas = _named(f"{resource}-{name}", limits.operations[name])
    return Policy(
        operation,
        quotas,
        cost=limits.costs.get(name, 1),
        at_once=limits.at_once.get(name),
        at_once_each=limits.at_once_each.get(name),
    )


def own_policy(
    operation: str, quota: Quotas = (), *, cost: int = 1, at_once: int | None = None, at_once_each: int | None = None
) -> Policy:
    """What an endpoint of one's own says of itself."""
    return Policy(operation, _named(operation, quota), cost, at_once, at_once_each)


def _named(base: str, quotas: Quotas) -> tuple[tuple[str, Quota], ...]:
    """Each quota under a name of its own: the first has the plain one, further ones say their window."""
    several = listed(quotas)
    return tuple(
        (base if place == 0 else f"{base}-{quota.window_seconds}s", quota) for place, quota in enumerate(several)
    )

"""Quotas: an exact sliding window up to 100 in a window, GCRA above.

`Limiter` is the port; `MemoryLimiter` is its embedded form, for one process. A refused request costs nothing: it does
not push the window on, so whoever waits out the stated time is served.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from freehold.errors import TooManyRequests
from freehold.resource.quotas import Quota

# Above this a window of single instants costs more memory than it is worth; GCRA keeps one number.
EXACT_UP_TO = 100

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Decision:
    """What a quota said. reset_seconds: when more is free, rounded up; after a refusal, when the same request passes."""

    allowed: bool
    name: str
    quota: Quota
    remaining: int
    reset_seconds: int


class Limiter(Protocol):
    """Counts units by name and key. One contract, an embedded and a shared form."""

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """Take `cost` units, or none of them. key: who is counted; distinct keys share nothing."""
        ...

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """Return units just taken, for what turned out not to count (a right password)."""
        ...


@dataclass(slots=True)
class _Window:
    """The instants of the units taken, oldest first."""

    taken: deque[int] = field(default_factory=deque)

    def hit(self, now: int, quota: Quota, limit: int, cost: int) -> tuple[bool, int, int]:
        span = _span(quota)
        while self.taken and now - self.taken[0] >= span:
            self.taken.popleft()
        if len(self.taken) + cost <= limit:
            self.taken.extend([now] * cost)
            return True, limit - len(self.taken), self.taken[0] + span - now
        blocking = len(self.taken) + cost - limit - 1
        wait = self.taken[blocking] + span - now if blocking < len(self.taken) else span
        return False, limit - len(self.taken), wait

    def give_back(self, _: int, cost: int) -> None:
        for _ in range(min(cost, len(self.taken))):
            self.taken.pop()

    def idle_at(self, span: int) -> int:
        return (self.taken[-1] + span) if self.taken else 0


@dataclass(slots=True)
class _Gcra:
    """Generic cell rate algorithm: the theoretical arrival time of the next unit."""

    arrival: int = 0

    def hit(self, now: int, quota: Quota, limit: int, cost: int) -> tuple[bool, int, int]:
        span = _span(quota)
        arrival = max(self.arrival, now)
        after = arrival + cost * span // limit
        if after - now <= span:
            self.arrival = after
            free = (span - (after - now)) * limit // span
            # Time until one unit more than now is free.
            return True, free, max(1, (after - now) - (limit - free - 1) * span // limit)
        wait = after - span - now if cost <= limit else span
        return False, max(0, (span - (arrival - now)) * limit // span), wait

    def give_back(self, unit: int, cost: int) -> None:
        self.arrival -= cost * unit

    def idle_at(self, _: int) -> int:
        return self.arrival


@dataclass(slots=True)
class _Entry:
    state: _Window | _Gcra
    idle_at: int


class MemoryLimiter:
    """Quotas within one process.

    factor: multiplies every limit (`FREEHOLD_LIMITS=x5`); None switches counting off. Both are for tests and load
    runs; settings refuse them in production. max_keys: beyond it the key used longest ago is forgotten (one key costs
    about 0.3 to 1.5 kB). monotonic_ns: the clock, replaced by tests.
    """

    def __init__(
        self,
        *,
        factor: int | None = 1,
        max_keys: int = 100_000,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._factor = factor
        self._max_keys = max_keys
        self._now = monotonic_ns
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """See `Limiter.hit`. Runs without a pause, so that no two callers see the same last unit."""
        if self._factor is None:
            return Decision(True, name, quota, quota.limit, 0)
        now, limit = self._now(), quota.limit * self._factor
        self._forget_idle(now)
        entry = self._entries.get((name, key))
        if entry is None:
            entry = _Entry(_Window() if limit <= EXACT_UP_TO else _Gcra(), 0)
            self._entries[name, key] = entry
        allowed, remaining, wait = entry.state.hit(now, quota, limit, cost)
        if allowed:
            entry.idle_at = entry.state.idle_at(_span(quota))
            self._entries.move_to_end((name, key))
        return Decision(allowed, name, _scaled(quota, limit), max(0, remaining), _whole_seconds(wait))

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """See `Limiter.give_back`."""
        entry = self._entries.get((name, key))
        if entry is not None and self._factor is not None:
            entry.state.give_back(_span(quota) // (quota.limit * self._factor), cost)

    def clear(self) -> None:
        """Forget everything that was counted."""
        self._entries.clear()

    def _forget_idle(self, now: int) -> None:
        """Look at the two keys used longest ago, so that forgetting keeps pace with what comes in."""
        for _ in range(2):
            oldest = next(iter(self._entries), None)
            if oldest is None:
                return
            if self._entries[oldest].idle_at > now and len(self._entries) < self._max_keys:
                return
            del self._entries[oldest]


def _span(quota: Quota) -> int:
    return round(quota.window.total_seconds() * _NANOSECONDS)


def _scaled(quota: Quota, limit: int) -> Quota:
    return quota if limit == quota.limit else Quota(limit, quota.window)


def _whole_seconds(nanoseconds: int) -> int:
    return max(1, -(-nanoseconds // _NANOSECONDS))


def address_key(client: str | None) -> str:
    """The part of a client address that is counted: an IPv4 address, or the /64 of an IPv6 one.

    One customer has a whole /64, and could use a new address in it for each request.
    """
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def rate_limit_headers(decisions: Iterable[Decision]) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), structured fields (RFC 9651)."""
    listed = list(decisions)
    policies = ", ".join(f'"{d.name}";q={d.quota.limit};w={d.quota.window_seconds}' for d in listed)
    limits = ", ".join(f'"{d.name}";r={d.remaining};t={d.reset_seconds}' for d in listed)
    return {"RateLimit-Policy": policies, "RateLimit": limits}


async def take(limiter: Limiter, wanted: Sequence[tuple[str, str, Quota]], *, cost: int = 1) -> list[Decision]:
    """Take `cost` units of each (name, key, quota), or of none: what one quota refuses must not use up another.

    Raises QuotaExceeded.
    """
    decisions = [await limiter.hit(name, key, quota, cost=cost) for name, key, quota in wanted]
    if all(decision.allowed for decision in decisions):
        return decisions
    for (name, key, quota), decision in zip(wanted, decisions, strict=True):
        if decision.allowed:
            await limiter.give_back(name, key, quota, cost=cost)
    raise QuotaExceeded(decisions)


class QuotaExceeded(TooManyRequests):
    """A quota is used up. Retry-After is when the same request will pass as far as the named quotas are concerned."""

    code, title = "request.quota_exceeded", "Quota exceeded"
    uri = "https://iana.org/assignments/http-problem-types#quota-exceeded"

    def __init__(self, decisions: Iterable[Decision]) -> None:
        broken = [decision for decision in decisions if not decision.allowed]
        super().__init__(
            "Too many requests of this kind; wait and try again.",
            retry_after=max((decision.reset_seconds for decision in broken), default=1),
            headers=rate_limit_headers(broken),
            extra={"type": self.uri, "violated-policies": [decision.name for decision in broken]},
        )

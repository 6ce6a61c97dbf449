"""Quotas within one process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from freehold.resource.quotas import Quota
from freehold.traffic.limits import EXACT_UP_TO, Decision, Wanted, scaled

_NANOSECONDS = 1_000_000_000


@dataclass(slots=True)
class _Window:
    """The instants of the units taken, oldest first."""

    taken: deque[int] = field(default_factory=deque)

    def hit(self, now: int, quota: Quota, cost: int) -> tuple[bool, int, int]:
        span, limit = quota.window_nanoseconds, quota.limit
        while self.taken and now - self.taken[0] >= span:
            self.taken.popleft()
        if len(self.taken) + cost <= limit:
            self.taken.extend([now] * cost)
            return True, limit - len(self.taken), self.taken[0] + span - now
        blocking = len(self.taken) + cost - limit - 1
        wait = self.taken[blocking] + span - now if blocking < len(self.taken) else span
        return False, limit - len(self.taken), wait

    def give_back(self, quota: Quota, cost: int) -> None:
        for _ in range(min(cost, len(self.taken))):
            self.taken.pop()

    def idle_at(self, span: int) -> int:
        return (self.taken[-1] + span) if self.taken else 0


@dataclass(slots=True)
class _Gcra:
    """Generic cell rate algorithm: the theoretical arrival time of the next unit."""

    arrival: int = 0

    def hit(self, now: int, quota: Quota, cost: int) -> tuple[bool, int, int]:
        span, limit = quota.window_nanoseconds, quota.limit
        arrival = max(self.arrival, now)
        after = arrival + cost * span // limit
        if after - now <= span:
            self.arrival = after
            free = (span - (after - now)) * limit // span
            # Time until one unit more than now is free.
            return True, free, max(1, (after - now) - (limit - free - 1) * span // limit)
        wait = after - span - now if cost <= limit else span
        return False, max(0, (span - (arrival - now)) * limit // span), wait

    def give_back(self, quota: Quota, cost: int) -> None:
        self.arrival -= cost * quota.window_nanoseconds // quota.limit

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

    async def hit_all(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """See `Limiter.hit_all`."""
        return self.hit_at_once(wanted, cost=cost)

    def hit_at_once(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """The same, without a pause: no two callers see the same last unit."""
        if self._factor is None:
            return [Decision(True, name, quota, quota.limit, 0) for name, _, quota in wanted]
        decisions = [self._hit(name, key, scaled(quota, self._factor), cost) for name, key, quota in wanted]
        for refused in decisions:
            if not refused.allowed:
                self._give_all_back(wanted, decisions, cost)
                break
        return decisions

    def _give_all_back(self, wanted: Sequence[Wanted], decisions: Sequence[Decision], cost: int) -> None:
        for (name, key, _), decision in zip(wanted, decisions, strict=True):
            if decision.allowed:
                self._give_back(name, key, decision.quota, cost)

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """See `Limiter.hit`."""
        return (await self.hit_all([(name, key, quota)], cost=cost))[0]

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """See `Limiter.give_back`."""
        if self._factor is not None:
            self._give_back(name, key, scaled(quota, self._factor), cost)

    def clear(self) -> None:
        """Forget everything that was counted."""
        self._entries.clear()

    def _hit(self, name: str, key: str, quota: Quota, cost: int) -> Decision:
        now = self._now()
        self._forget_idle(now)
        counted = name, key
        entry = self._entries.get(counted)
        if entry is None:
            entry = self._entries[counted] = _Entry(_Window() if quota.limit <= EXACT_UP_TO else _Gcra(), 0)
        allowed, remaining, wait = entry.state.hit(now, quota, cost)
        if allowed:
            entry.idle_at = entry.state.idle_at(quota.window_nanoseconds)
            self._entries.move_to_end(counted)
        return Decision(allowed, name, quota, max(0, remaining), _whole_seconds(wait))

    def _give_back(self, name: str, key: str, quota: Quota, cost: int) -> None:
        entry = self._entries.get((name, key))
        if entry is not None:
            entry.state.give_back(quota, cost)

    def _forget_idle(self, now: int) -> None:
        """Look at the two keys used longest ago, so that forgetting keeps pace with what comes in."""
        for _ in range(2):
            oldest = next(iter(self._entries), None)
            if oldest is None:
                return
            if self._entries[oldest].idle_at > now and len(self._entries) < self._max_keys:
                return
            del self._entries[oldest]


def _whole_seconds(nanoseconds: int) -> int:
    return max(1, -(-nanoseconds // _NANOSECONDS))

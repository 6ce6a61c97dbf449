"""Quotas within one process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from freehold.resource.quotas import Quota
from freehold.traffic.limits import EXACT_UP_TO, Decision, Wanted, scaled

_NANOSECONDS = 1_000_000_000
# A calm caller's count is idle between any two requests, and is wanted again by the next.
_KEPT_IDLE = _NANOSECONDS


class _Count:
    """What one caller took of one quota. asked: the quota as it is declared; quota: so many times as much as counts here.

    idle_at: from when on it tells nothing any more.
    """

    __slots__ = ("asked", "idle_at", "quota")

    def __init__(self, asked: Quota, quota: Quota) -> None:
        self.asked = asked
        self.quota = quota
        self.idle_at = 0

    def hit(self, now: int, name: str, cost: int) -> Decision:
        """Take `cost` units, or none of them."""
        raise NotImplementedError

    def give_back(self, cost: int) -> None:
        """Return units just taken."""
        raise NotImplementedError


class _Window(_Count):
    """The instants of the units taken, oldest first."""

    __slots__ = ("_taken",)

    def __init__(self, asked: Quota, quota: Quota) -> None:
        super().__init__(asked, quota)
        self._taken: deque[int] = deque()

    def hit(self, now: int, name: str, cost: int) -> Decision:
        taken, quota = self._taken, self.quota
        span, limit = quota.window_nanoseconds, quota.limit
        while taken and now - taken[0] >= span:
            taken.popleft()
        if len(taken) + cost <= limit:
            taken.extend([now] * cost)
            self.idle_at = now + span
            return Decision(True, name, quota, limit - len(taken), _whole_seconds(taken[0] + span - now))
        blocking = len(taken) + cost - limit - 1
        wait = taken[blocking] + span - now if blocking < len(taken) else span
        return Decision(False, name, quota, max(0, limit - len(taken)), _whole_seconds(wait))

    def give_back(self, cost: int) -> None:
        for _ in range(min(cost, len(self._taken))):
            self._taken.pop()


class _Gcra(_Count):
    """Generic cell rate algorithm: the theoretical arrival time of the next unit, which is when it is idle, too."""

    __slots__ = ()

    def hit(self, now: int, name: str, cost: int) -> Decision:
        quota, arrival = self.quota, self.idle_at
        span, limit = quota.window_nanoseconds, quota.limit
        arrival = max(arrival, now)
        after = arrival + cost * span // limit
        used = after - now
        if used <= span:
            self.idle_at = after
            free = (span - used) * limit // span
            # Time until one unit more than now is free.
            return Decision(True, name, quota, free, _whole_seconds(used - (limit - free - 1) * span // limit))
        wait = used - span if cost <= limit else span
        free = (span - (arrival - now)) * limit // span
        return Decision(False, name, quota, max(0, free), _whole_seconds(wait))

    def give_back(self, cost: int) -> None:
        self.idle_at -= cost * self.quota.window_nanoseconds // self.quota.limit


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
        self._entries: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    async def hit_all(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """See `Limiter.hit_all`."""
        return self.hit_at_once(wanted, cost=cost)

    def hit_at_once(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """The same, without a pause: no two callers see the same last unit."""
        if self._factor is None:
            return [Decision(True, name, quota, quota.limit, 0) for name, _, quota in wanted]
        now, entries, decisions, passes = self._now(), self._entries, [], True
        for name, key, quota in wanted:
            counted = name, key
            count = entries.get(counted)
            if count is None or count.asked is not quota:
                count = entries[counted] = self._count(count, quota)
            decision = count.hit(now, name, cost)
            if decision.allowed:
                entries.move_to_end(counted)
            else:
                passes = False
            decisions.append(decision)
            self._forget_idle(now - _KEPT_IDLE)
        if not passes:
            self._give_all_back(wanted, decisions, cost)
        return decisions

    def _give_all_back(self, wanted: Sequence[Wanted], decisions: Sequence[Decision], cost: int) -> None:
        for (name, key, _), decision in zip(wanted, decisions, strict=True):
            if decision.allowed:
                self._give_back(name, key, cost)

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """See `Limiter.hit`."""
        return (await self.hit_all([(name, key, quota)], cost=cost))[0]

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """See `Limiter.give_back`."""
        if self._factor is not None:
            self._give_back(name, key, cost)

    def clear(self) -> None:
        """Forget everything that was counted."""
        self._entries.clear()

    def _count(self, known: _Count | None, asked: Quota) -> _Count:
        """A new one, or the one that is there under another quota: another role has another limit."""
        assert self._factor is not None, "nothing is counted where it is None"
        quota = scaled(asked, self._factor)
        if known is None:
            return _Window(asked, quota) if quota.limit <= EXACT_UP_TO else _Gcra(asked, quota)
        known.asked, known.quota = asked, quota
        return known

    def _give_back(self, name: str, key: str, cost: int) -> None:
        count = self._entries.get((name, key))
        if count is not None:
            count.give_back(cost)

    def _forget_idle(self, since: int) -> None:
        """Look at the two keys used longest ago, so that forgetting keeps pace with what comes in."""
        entries = self._entries
        for _ in range(2):
            oldest = next(iter(entries), None)
            if oldest is None or (entries[oldest].idle_at > since and len(entries) <= self._max_keys):
                return
            del entries[oldest]


def _whole_seconds(nanoseconds: int) -> int:
    return -(-nanoseconds // _NANOSECONDS) if nanoseconds > 0 else 1

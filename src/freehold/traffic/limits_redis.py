"""Quotas over all processes, in Redis: one script judges and takes, by the server's clock."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from prometheus_client import Counter

from freehold.errors import Unavailable
from freehold.observe.logs import get_logger
from freehold.observe.metrics import Metrics
from freehold.remote import Away, RedisServer, Reply, Script
from freehold.resource.quotas import Quota
from freehold.traffic.limits import EXACT_UP_TO, Decision, Wanted, scaled
from freehold.traffic.limits_memory import MemoryLimiter

_log = get_logger("freehold.limits")

# Microseconds from an instant of our time on: a double then tells fractions of one. ARGV[1] is a clock of a test, or empty.
_NOW = """
local function instant()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return (time[1] - 1790000000) * 1000000 + time[2]
end
local now = instant()
"""

# A window is the list of the instants of its units, oldest first; a rate is the instant at which the next unit would come.
# Where the clock has gone back they go back with it.
_TAKE = Script(
    _NOW
    + """
local function window(key, limit, span, cost)
  local last = tonumber(redis.call('LINDEX', key, -1))
  if last and last > now then
    local taken = redis.call('LRANGE', key, 0, -1)
    redis.call('DEL', key)
    for _, at in ipairs(taken) do redis.call('RPUSH', key, string.format('%.0f', at - (last - now))) end
    redis.call('PEXPIRE', key, math.ceil(span / 1000))
  end
  local first = tonumber(redis.call('LINDEX', key, 0))
  while first and now - first >= span do
    redis.call('LPOP', key)
    first = tonumber(redis.call('LINDEX', key, 0))
  end
  local count = redis.call('LLEN', key)
  if count + cost <= limit then
    return 1, limit - count - cost, (first or now) + span - now
  end
  local blocking = tonumber(redis.call('LINDEX', key, count + cost - limit - 1))
  return 0, limit - count, blocking and blocking + span - now or span
end

local function gcra(key, limit, span, cost)
  local unit = span / limit
  local kept = tonumber(redis.call('GET', key) or 0)
  local arrival = math.min(math.max(kept, now), now + span)
  if kept > arrival then redis.call('SET', key, string.format('%.17g', arrival), 'KEEPTTL') end
  local after = arrival + cost * unit
  if after - now <= span + 0.5 then
    local free = math.floor((span - (after - now)) / unit + 0.000001)
    return 1, free, math.max(1, (after - now) - (limit - free - 1) * unit), after
  end
  local free = math.floor((span - (arrival - now)) / unit + 0.000001)
  return 0, free, cost <= limit and after - span - now or span
end

local cost, answer, afters, allowed = tonumber(ARGV[2]), {}, {}, true
for place, key in ipairs(KEYS) do
  local limit, span = tonumber(ARGV[place * 2 + 1]), tonumber(ARGV[place * 2 + 2])
  local judge = limit <= EXACT and window or gcra
  local pass, free, wait, after = judge(key, limit, span, cost)
  allowed, afters[place] = allowed and pass == 1, after or false
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = pass, math.max(0, free), math.ceil(wait / 1000000)
end
if allowed then
  for place, key in ipairs(KEYS) do
    local span = tonumber(ARGV[place * 2 + 2])
    if afters[place] then
      redis.call('SET', key, string.format('%.17g', afters[place]))
    else
      local text = string.format('%.0f', now)
      for _ = 1, cost do redis.call('RPUSH', key, text) end
    end
    redis.call('PEXPIRE', key, math.ceil(span / 1000))
  end
end
return answer
""".replace("EXACT", str(EXACT_UP_TO))
)

_GIVE_BACK = Script(
    """
local limit, span, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if limit <= EXACT then
  for _ = 1, cost do redis.call('RPOP', KEYS[1]) end
else
  local arrival = tonumber(redis.call('GET', KEYS[1]))
  if arrival then redis.call('SET', KEYS[1], string.format('%.17g', arrival - cost * span / limit), 'KEEPTTL') end
end
""".replace("EXACT", str(EXACT_UP_TO))
)


class RedisLimiter:
    """Quotas over all processes that share a Redis.

    While Redis is away a quota does as it says (`Quota.when_away`). secret: Redis is told a digest of who is counted, made
    with it. factor: see `MemoryLimiter`. clock: in microseconds, in place of the server's; for tests.
    """

    def __init__(
        self,
        redis: RedisServer,
        *,
        secret: bytes = b"",
        factor: int | None = 1,
        metrics: Metrics | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._redis = redis
        self._secret = b"fh-limit\0" + secret
        self._factor = factor
        self._clock = clock
        self._here = MemoryLimiter(factor=factor)
        self._is_told = False
        self._uncounted: Counter | None = None
        if metrics is not None:
            self._uncounted = metrics.counter(
                "freehold_limits_without_redis",
                "Requests that a quota judged while Redis was away",
                ("policy", "judged"),
            )

    async def hit_all(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """See `Limiter.hit_all`. Raises Unavailable for a quota that says so while Redis is away."""
        if self._factor is None:
            return await self._here.hit_all(wanted, cost=cost)
        asked = [(name, key, scaled(quota, self._factor)) for name, key, quota in wanted]
        keys = [self._key(*each) for each in asked]
        numbers = [number for _, _, quota in asked for number in (quota.limit, _microseconds(quota))]
        try:
            reply = await self._redis.run(_TAKE, keys, "" if self._clock is None else self._clock(), cost, *numbers)
        except Away:
            return await self._without(wanted, cost)
        self._is_told = False
        return [_decision(name, quota, reply[3 * place :]) for place, (name, _, quota) in enumerate(asked)]

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """See `Limiter.hit`."""
        return (await self.hit_all([(name, key, quota)], cost=cost))[0]

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """See `Limiter.give_back`. Where Redis is away by now they are not given back."""
        await self._here.give_back(name, key, quota, cost=cost)
        if self._factor is None:
            return
        asked = scaled(quota, self._factor)
        try:
            await self._redis.run(_GIVE_BACK, [self._key(name, key, asked)], asked.limit, _microseconds(asked), cost)
        except Away:
            return

    def _key(self, name: str, key: str, quota: Quota) -> str:
        # A caller's quota may grow past what is counted exactly; the two forms keep different things.
        kind = "window" if quota.limit <= EXACT_UP_TO else "rate"
        return self._redis.key("limit", kind, name, hmac.digest(self._secret, key.encode(), "sha256")[:16].hex())

    async def _without(self, wanted: Sequence[Wanted], cost: int) -> list[Decision]:
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "redis is away: quotas of log-in count in each process, others do as declared (open by default)"
            )
        if self._uncounted is not None:
            for name, _, quota in wanted:
                self._uncounted.labels(name, quota.when_away).inc()
        if any(quota.when_away == "refuse" for _, _, quota in wanted):
            raise Unavailable("Requests of this kind cannot be counted at the moment.")
        counted = [each for each in wanted if each[2].when_away == "count"]
        decided = {decision.name: decision for decision in await self._here.hit_all(counted, cost=cost)}
        return [decided.get(name) or Decision(True, name, quota, quota.limit, 0) for name, _, quota in wanted]


def _microseconds(quota: Quota) -> int:
    return round(quota.window.total_seconds() * 1_000_000)


def _decision(name: str, quota: Quota, reply: Sequence[Reply]) -> Decision:
    allowed, remaining, seconds = reply[:3]
    return Decision(bool(allowed), name, quota, int(remaining), max(1, int(seconds)))

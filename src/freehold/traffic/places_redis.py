"""Places over all processes, in Redis, on leases: those of a process that dies are free again soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from freehold.remote import Away, RedisServer, Script
from freehold.traffic.places import Full, MemoryPlaces, Wanted

LEASE_SECONDS = 15.0

# One sorted set for each name: who holds a place, by the instant at which the lease ends. A clock of the server's that has gone
# back leaves leases that end too late; they are cut.
_ENTER = Script("""
local time = redis.call('TIME')
local now, lease = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1])
for place, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', key, now + lease + 1, '+inf')) do
    redis.call('ZADD', key, now + lease, late)
  end
  if redis.call('ZCARD', key) >= tonumber(ARGV[place + 2]) then return place end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + lease, ARGV[2])
  redis.call('PEXPIRE', key, lease)
end
return 0
""")

_RENEW = Script("""
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for place, key in ipairs(KEYS) do
  redis.call('ZADD', key, ends, ARGV[place + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
""")


class RedisPlaces:
    """Places over all processes that share a Redis; while it is away, so many in each process.

    lease_seconds: so long after a process died its places are free; a living one renews them.
    """

    def __init__(self, redis: RedisServer, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._redis = redis
        self._lease = lease_seconds
        self._here = MemoryPlaces()
        self._held: dict[str, list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def held(self, wanted: Sequence[Wanted]) -> AsyncIterator[None]:
        """See `Places.held`."""
        async with self._here.held(wanted):
            member, keys = uuid4().hex, [self._redis.key("places", name) for name, _ in wanted]
            await self._enter(member, keys, wanted)
            self._held[member] = keys
            self._renew_later()
            try:
                yield
            finally:
                del self._held[member]
                if not self._held and self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                await asyncio.shield(self._start(self._leave(member, keys)))

    async def _enter(self, member: str, keys: list[str], wanted: Sequence[Wanted]) -> None:
        try:
            full = await self._redis.run(_ENTER, keys, self._milliseconds, member, *(most for _, most in wanted))
        except Away:
            return
        except asyncio.CancelledError:
            self._start(self._leave(member, keys))  # it may have been taken
            raise
        if full:
            raise Full(wanted[full - 1][0])

    async def _leave(self, member: str, keys: list[str]) -> None:
        with suppress(Away):
            await self._redis.ask(*(("ZREM", key, member) for key in keys))

    async def _renew(self) -> None:
        pairs = [(key, member) for member, keys in self._held.items() for key in keys]
        with suppress(Away):
            await self._redis.run(
                _RENEW, [key for key, _ in pairs], self._milliseconds, *(member for _, member in pairs)
            )

    def _renew_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._lease / 3, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._held:
            self._start(self._renew())
            self._renew_later()

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def _milliseconds(self) -> int:
        return round(self._lease * 1000)

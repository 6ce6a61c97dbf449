"""One answer for many: kept ones are given, and what is missing is made once however many ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from freehold.errors import DeadlineExceeded
from freehold.observe.metrics import Metrics
from freehold.resource.caching import Cache
from freehold.traffic.answers import Answers, MemoryAnswers

logger = structlog.get_logger("freehold.cache")

REFRESHED_FROM = 0.9  # of its time: from then on an answer is made anew while it is still given
REST_SECONDS = 1.0  # after a refresh that failed nobody tries another for so long


@dataclass(frozen=True, slots=True)
class Made:
    """An answer just made. tables: what it was made from. may_keep: False for a refusal. may_share: False for what is for
    the one who asked alone, and not for those who waited with it.
    """

    value: bytes
    tables: Collection[str]
    may_keep: bool = True
    may_share: bool = True


Make = Callable[[], Awaitable[Made]]


@dataclass(frozen=True, slots=True)
class _Flight:
    """An answer in the making. mark: taken before it began; -1 where that is not known yet."""

    mark: int
    task: asyncio.Task[Made]


class ResponseCache:
    """Gives answers from the store, and makes those that are missing, each once at a time.

    deadline_seconds: making one takes no longer; it goes on when the request that began it is given up, because others
    may wait for it. A maker that fails leaves nothing behind.
    """

    def __init__(self, store: Answers, *, deadline_seconds: float = 30.0, metrics: Metrics | None = None) -> None:
        self.store = store
        self._deadline_seconds = deadline_seconds
        self._flights: dict[str, _Flight] = {}
        self._rests_until = 0.0
        self._counter = _register(metrics, store)

    async def answer(self, operation: str, key: str, cache: Cache, make: Make) -> tuple[bytes, float]:
        """The answer and its age in seconds. operation: for the metrics. Raises what `make` raises."""
        kept = await self.store.get(key)
        if kept is not None:
            if kept.age_seconds >= cache.seconds * REFRESHED_FROM:
                self._refresh(key, cache, make)
            self._count(operation, "hit" if kept.age_seconds < cache.seconds else "stale")
            return kept.value, kept.age_seconds
        return await self._made(operation, key, cache, make), 0.0

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.store.close()

    async def _made(self, operation: str, key: str, cache: Cache, make: Make) -> bytes:
        arrived = await self.store.mark()
        while True:
            mark = await self.store.mark()
            flight = self._flights.get(key)
            outcome = "miss" if flight is None else "joined"
            if flight is None:
                flight = self._begin(key, mark, self._fly(key, mark, cache, make))
            made = await asyncio.shield(flight.task)
            if not made.may_share and outcome == "joined":
                made, outcome = await make(), "miss"
            # What was begun before this request came may lack a commit that the client knows of.
            elif flight.mark < arrived and not await self.store.is_current(_depends(cache, made), flight.mark):
                continue
            self._count(operation, outcome)
            return made.value

    def _begin(self, key: str, mark: int, work: Coroutine[None, None, Made]) -> _Flight:
        task = asyncio.create_task(work, name=f"answer {key}")
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting any more
        self._flights[key] = flight = _Flight(mark, task)
        return flight

    async def _fly(self, key: str, mark: int, cache: Cache, make: Make) -> Made:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                made = await make()
            if made.may_keep:
                seconds = cache.seconds + cache.stale_seconds
                await self.store.put(key, made.value, tables=_depends(cache, made), mark=mark, seconds=seconds)
            return made
        except TimeoutError:
            raise DeadlineExceeded from None
        finally:
            del self._flights[key]

    def _refresh(self, key: str, cache: Cache, make: Make) -> None:
        """Make it anew behind the back of those who are given what is kept."""
        if key not in self._flights and time.monotonic() >= self._rests_until:
            self._begin(key, -1, self._refreshed(key, cache, make))

    async def _refreshed(self, key: str, cache: Cache, make: Make) -> Made:
        try:
            return await self._fly(key, await self.store.mark(), cache, make)
        except Exception as error:
            logger.warning("refresh_failed", error=type(error).__name__)
            self._rests_until = time.monotonic() + REST_SECONDS
            raise

    def _count(self, operation: str, outcome: str) -> None:
        if self._counter is not None:
            self._counter.labels(operation, outcome).inc()


def _depends(cache: Cache, made: Made) -> Collection[str]:
    """What a change of makes the answer old."""
    return set(cache.tags) if cache.ignores_writes else {*cache.tags, *made.tables}


def _register(metrics: Metrics | None, store: Answers) -> Counter | None:
    if metrics is None:
        return None
    if isinstance(store, MemoryAnswers):
        metrics.gauge("freehold_cache_bytes", "What kept answers take in memory", lambda: store.used_bytes)
        metrics.gauge("freehold_cache_answers", "Answers that are kept", lambda: len(store))
    return metrics.counter("freehold_cache_answers_given", "Answers of cached operations", ("operation", "outcome"))

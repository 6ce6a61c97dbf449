"""One answer for many: kept ones are given, and what is missing is made once however many ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from freehold.errors import DeadlineExceeded
from freehold.observe.metrics import Metrics
from freehold.resource.caching import Cache
from freehold.store.touched import EVERYTHING
from freehold.traffic.answers import Answers
from freehold.traffic.answers_memory import MemoryAnswers

logger = structlog.get_logger("freehold.cache")

REFRESHED_FROM = 0.9  # of its time: from then on an answer is made anew while it is still given
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 0.05  # between two looks whether another process has made it
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


@dataclass(slots=True)
class _Flight:
    """An answer in the making. number: of those begun in this process. mark: taken before it was begun to be made."""

    number: int
    mark: int = 0
    task: asyncio.Task[Made] | None = None


class ResponseCache:
    """Gives answers from the store, and makes those that are missing, each once at a time.

    deadline_seconds: making one takes no longer; it goes on when the request that began it is given up, because others
    may wait for it. A maker that fails leaves nothing behind.
    """

    def __init__(self, store: Answers, *, deadline_seconds: float = 30.0, metrics: Metrics | None = None) -> None:
        self.store = store
        self._deadline_seconds = deadline_seconds
        self._flights: dict[str, _Flight] = {}
        self._begun = 0
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
        """Give up what is being made. The store stays open."""
        tasks = [flight.task for flight in self._flights.values() if flight.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _made(self, operation: str, key: str, cache: Cache, make: Make) -> bytes:
        arrived = self._begun
        while True:
            flight = self._flights.get(key)
            outcome = "miss" if flight is None else "joined"
            flight, task = self._begin(key, cache, make) if flight is None else (flight, flight.task)
            assert task is not None
            made = await asyncio.shield(task)
            if not made.may_share and outcome == "joined":
                made, outcome = await make(), "miss"
            # What was begun before this request came may lack a commit that the client knows of.
            elif flight.number <= arrived and not await self.store.is_current(_depends(cache, made), flight.mark):
                continue
            self._count(operation, outcome)
            return made.value

    def _begin(self, key: str, cache: Cache, make: Make) -> tuple[_Flight, asyncio.Task[Made]]:
        self._begun += 1
        self._flights[key] = flight = _Flight(self._begun)
        flight.task = task = asyncio.create_task(self._fly(flight, key, cache, make), name=f"answer {key}")
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting any more
        return flight, task

    async def _fly(self, flight: _Flight, key: str, cache: Cache, make: Make) -> Made:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                given = await self._turn(flight, key, cache)
                return await self._make(flight, key, cache, make) if given is None else given
        except TimeoutError:
            raise DeadlineExceeded from None
        finally:
            del self._flights[key]

    async def _turn(self, flight: _Flight, key: str, cache: Cache) -> Made | None:
        """Wait for the right to make the answer; or the answer itself, which another process has made meanwhile."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            is_ours = await self.store.begin(key)
            flight.mark = await self.store.mark()
            kept = await self.store.get(key)
            if kept is not None and kept.age_seconds < cache.seconds * REFRESHED_FROM:
                if is_ours:
                    await self.store.end(key)
                return Made(kept.value, (EVERYTHING,))
            if is_ours:
                return None
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _make(self, flight: _Flight, key: str, cache: Cache, make: Make) -> Made:
        try:
            made = await make()
            if made.may_keep:
                seconds, tables = cache.seconds + cache.stale_seconds, _depends(cache, made)
                await self.store.put(key, made.value, tables=tables, mark=flight.mark, seconds=seconds)
            return made
        finally:
            await self.store.end(key)

    def _refresh(self, key: str, cache: Cache, make: Make) -> None:
        """Make it anew behind the back of those who are given what is kept."""
        if key in self._flights or time.monotonic() < self._rests_until:
            return
        _, task = self._begin(key, cache, make)
        task.add_done_callback(self._is_refreshed)

    def _is_refreshed(self, done: asyncio.Task[Made]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            logger.warning("refresh_failed", error=type(error).__name__)
            self._rests_until = time.monotonic() + REST_SECONDS

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

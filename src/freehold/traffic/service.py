"""What an application does about how often it is asked, put together."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from freehold.observe.metrics import Metrics
from freehold.remote import RedisServer
from freehold.resource.quotas import Limits
from freehold.store.database import Database
from freehold.store.sqlite_outside import Outside
from freehold.store.touched import Watchers
from freehold.traffic.admission import Admission
from freehold.traffic.answers import Answers
from freehold.traffic.answers_memory import MemoryAnswers
from freehold.traffic.answers_redis import RedisAnswers
from freehold.traffic.cache import ResponseCache
from freehold.traffic.limits import Limiter
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.traffic.limits_redis import RedisLimiter
from freehold.traffic.places import MemoryPlaces, Places
from freehold.traffic.places_redis import RedisPlaces
from freehold.traffic.policy import Defaults

CACHE_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Traffic:
    """The limiter, the quotas that hold where nothing is declared, and the kept answers (None where none are kept).

    store: of answers, this process's or everybody's: it hears of commits here, also where only others keep answers.
    """

    limiter: Limiter = field(default_factory=MemoryLimiter)
    admission: Admission = field(default_factory=lambda: Admission(None, secret=b""))
    defaults: Defaults = field(default_factory=Defaults)
    answers: ResponseCache | None = None
    store: Answers | None = None

    @classmethod
    def open(
        cls,
        database: Database,
        *,
        redis: RedisServer | None = None,
        limits: Limits | None = None,
        factor: int | None = 1,
        cache_bytes: int = CACHE_BYTES,
        secret: bytes = b"",
        deadline_seconds: float = 30.0,
        release: Callable[[], str] = str,
        keeps: Callable[[], bool] = lambda: True,
        metrics: Metrics | None = None,
    ) -> Self:
        """Counted and kept in the memory of this process, or, by all processes, in Redis.

        Kept answers watch the commits of the database.
        factor: multiplies every quota; None for no quotas. cache_bytes: 0 keeps no answers. secret: callers are counted
        under a digest made with it; one of this process where it is empty. release: of the code; answers of another one are
        not given. keeps: whether any operation keeps answers; asked from the start on. If none does, Redis is told of no commit.
        """
        secret = secret or secrets.token_bytes(32)
        if redis is None:
            limiter: Limiter = MemoryLimiter(factor=factor)
            places: Places = MemoryPlaces()
        else:
            limiter, places = RedisLimiter(redis, secret=secret, factor=factor, metrics=metrics), RedisPlaces(redis)
        admission = Admission(
            None if factor is None else limiter,
            secret=secret,
            places=places,
            metrics=metrics,
        )
        answers = store = None
        if cache_bytes or redis is not None:
            store = _answers(database, redis, cache_bytes, release, keeps)
            database.parts[Watchers].add(store)
        if cache_bytes and store is not None:
            answers = ResponseCache(store, deadline_seconds=deadline_seconds, metrics=metrics)
        return cls(limiter, admission, Defaults.of(limits), answers, store)

    async def start(self) -> None:
        """Once the database and Redis are there, before the first request."""
        if self.store is not None:
            await self.store.start()

    async def close(self) -> None:
        """Give up the answers that are being made."""
        if self.answers is not None:
            await self.answers.close()
        if self.store is not None:
            await self.store.close()


def _answers(
    database: Database,
    redis: RedisServer | None,
    limit_bytes: int,
    release: Callable[[], str],
    keeps: Callable[[], bool],
) -> Answers:
    if redis is not None:
        return RedisAnswers(database, redis, limit_bytes=limit_bytes, release=release, keeps=keeps)
    path = database.url.database if database.dialect_name == "sqlite" else None
    return MemoryAnswers(limit_bytes, outside=None if path is None else Outside(Path(path)))

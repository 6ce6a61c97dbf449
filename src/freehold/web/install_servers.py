"""The servers that the processes of an application share beside its database, where `install` is given them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

from freehold.errors import ConfigurationError
from freehold.observe.metrics import Metrics
from freehold.remote import RedisServer
from freehold.resource.quotas import Limits
from freehold.settings import Settings
from freehold.settings.broker import checked_broker_url
from freehold.settings.checks import MAKE_ONE, MIN_SECRET_BYTES
from freehold.settings.redis import checked_redis_url
from freehold.store.database import Database
from freehold.store.waking import Waking
from freehold.traffic.service import Traffic
from freehold.web.release import release_of_code
from freehold.web.replicas import ReadReplicas, replicas_of
from freehold.web.shared import announcer, redis_server


@dataclass(frozen=True, slots=True)
class SharedServers:
    """A Redis and the address of a broker, or neither. settings: which say what else of them there is, where given."""

    redis: RedisServer | None
    broker: str
    secret: str
    service: str
    settings: Settings | None = None

    @classmethod
    def of(cls, *, redis: str, broker: str, secret: str, service: str, settings: Settings | None = None) -> Self:
        """From their addresses, or the settings; nothing connects yet. Raises ConfigurationError that names the argument."""
        if settings is not None:
            redis, broker = redis or settings.redis_url, broker or settings.broker_url
            secret = secret or settings.secret_value
        for name, given, check in (("redis", redis, checked_redis_url), ("broker", broker, checked_broker_url)):
            try:
                check(given)
            except ValueError as error:
                raise ConfigurationError(f"install(..., {name}=): {error}") from None
        if (redis or broker) and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"install(..., redis=, broker=) needs secret=, {MIN_SECRET_BYTES} bytes at least, the same in all processes. {MAKE_ONE}"
            )
        server = redis_server(redis, secret=secret, service=service) if redis else None
        return cls(server, broker or redis, secret, service, settings)

    def traffic(self, database: Database, limits: Limits | None) -> Traffic:
        """Quotas and kept answers: of all processes where there is a Redis."""
        factor = 1 if self.settings is None else self.settings.limit_factor
        if self.redis is None:
            return Traffic.open(database, limits=limits, factor=factor)
        return Traffic.open(
            database,
            redis=self.redis,
            limits=limits,
            factor=factor,
            secret=self.secret.encode(),
            release=release_of_code,
        )

    def replicas(self, database: Database, traffic: Traffic) -> ReadReplicas | None:
        """The replicas that the settings name; None where there are none."""
        if self.settings is None:
            return None
        return replicas_of(self.settings, database, self.redis, traffic, metrics=Metrics())

    @asynccontextmanager
    async def open(
        self, traffic: Traffic, database: Database, replicas: ReadReplicas | None = None
    ) -> AsyncIterator[None]:
        """Connected to them, or trying to, for the life of a process; the database is there."""
        if not self.broker:
            yield
            return
        async with AsyncExitStack() as stack:
            if self.redis is not None:
                stack.push_async_callback(self.redis.close)
                await self.redis.open()
            stack.push_async_callback(traffic.close)
            await traffic.start()
            if replicas is not None:
                stack.push_async_callback(replicas.close)
                await replicas.start()
            messenger = announcer(self.broker, database.parts[Waking], secret=self.secret, service=self.service)
            stack.push_async_callback(messenger.stop)
            await messenger.start()
            yield

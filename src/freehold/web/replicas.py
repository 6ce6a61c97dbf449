"""The read replicas of a service, as its settings name them, and what keeps reads on them up to date."""

from __future__ import annotations

from contextlib import suppress

from freehold.observe.metrics import Metrics
from freehold.remote import Away, RedisServer
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.replica import Replica
from freehold.store.replicas import Replicas
from freehold.store.touched import Watchers
from freehold.traffic.answers_redis import RedisAnswers
from freehold.traffic.positions_redis import RedisPositions
from freehold.traffic.service import Traffic
from freehold.web.schema import patience_of


class ReadReplicas:
    """Replicas, and the positions that reads want of them; for the life of a process."""

    def __init__(self, replicas: Replicas, positions: RedisPositions) -> None:
        self.replicas = replicas
        self.positions = positions

    async def start(self) -> None:
        """Once the database and Redis are there. Raises ConfigurationError for a server that is no replica of the database."""
        await self.positions.start()
        with suppress(Away):  # migrations and whoever else came before told nobody
            await self.positions.has_been_replaced()
        await self.replicas.start()

    async def close(self) -> None:
        """Give back every connection."""
        await self.replicas.close()
        await self.positions.close()


def replicas_of(
    settings: Settings, database: Database, redis: RedisServer | None, traffic: Traffic, *, metrics: Metrics
) -> ReadReplicas | None:
    """The replicas of a service; None where the settings name none. Its commits are watched from here on."""
    if not settings.replicas or redis is None:
        return None
    assert isinstance(traffic.store, RedisAnswers), "with Redis, answers are kept there"
    patience = patience_of(settings)
    each = [
        Replica(name, database.url, settings.reader_url, pool_size=settings.pool_size, patience=patience)
        for name in settings.replicas
    ]
    positions = RedisPositions(database, redis, traffic.store.silence)
    reads = metrics.counter(
        "freehold_reads", "Reads that a replica could answer, by where they went and why", ("went",)
    )
    replicas = Replicas(database, each, positions, count=lambda went: reads.labels(went).inc())
    metrics.gauge(
        "freehold_replica_lag_bytes", "Of the log, by which the last replica is behind", lambda: replicas.lag_bytes
    )
    metrics.gauge(
        "freehold_replicas_up", "Replicas that answer", lambda: sum(not replica.is_lost for replica in replicas.each)
    )
    database.parts[Watchers].add(positions)
    database.parts[Replicas] = replicas
    return ReadReplicas(replicas, positions)

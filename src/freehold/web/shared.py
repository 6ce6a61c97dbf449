"""The servers that the processes of one service share beside the database, as its settings name them."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from freehold.jobs import Announcer, open_broker
from freehold.observe.metrics import Metrics
from freehold.remote import RedisServer
from freehold.resource.quotas import Limits
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.waking import Waking
from freehold.traffic.service import Traffic
from freehold.web.release import release_of_code


def redis_of(settings: Settings, *, service: str, metrics: Metrics) -> RedisServer | None:
    """The Redis of a service; None where the settings name none."""
    if not settings.redis_url:
        return None
    return redis_server(settings.redis_url, secret=settings.secret_value, service=service, metrics=metrics)


def redis_server(url: str, *, secret: str, service: str, metrics: Metrics | None = None) -> RedisServer:
    """A Redis that other services may use too: the names of this one's keys begin with a digest. Nothing connects yet."""
    return RedisServer(url, prefix=f"fh:{_own_name(secret, service, 'redis')}", metrics=metrics)


def traffic_of(
    settings: Settings,
    database: Database,
    redis: RedisServer | None,
    *,
    limits: Limits | None,
    keeps: Callable[[], bool],
    metrics: Metrics,
) -> Traffic:
    """Quotas and kept answers of a service. Several processes without Redis keep none: no other would hear of a commit."""
    return Traffic.open(
        database,
        redis=redis,
        limits=limits,
        factor=settings.limit_factor,
        cache_bytes=settings.cache_limit if settings.is_alone or redis is not None else 0,
        secret=settings.secret_value.encode(),
        deadline_seconds=settings.deadline_seconds,
        release=release_of_code,
        keeps=keeps,
        metrics=metrics,
    )


def announcer_of(settings: Settings, waking: Waking, *, service: str, metrics: Metrics) -> Announcer | None:
    """Who tells the other processes of work, by the broker, else by Redis; None where the settings name neither."""
    url = settings.broker_url or settings.redis_url
    if not url:
        return None
    return announcer(url, waking, secret=settings.secret_value, service=service, metrics=metrics)


def announcer(url: str, waking: Waking, *, secret: str, service: str, metrics: Metrics | None = None) -> Announcer:
    """Who tells the other processes of this service, over a broker that other services may use too."""
    broker = open_broker(url, topic=f"freehold-{_own_name(secret, service, 'broker')}")
    return Announcer(broker, waking, metrics=metrics)


def _own_name(secret: str, service: str, purpose: str) -> str:
    """What the processes of this service alone call something on a server that others use too."""
    digest = hmac.digest(secret.encode(), f"fh-{purpose}\0{service}".encode(), "sha256")
    return digest[:8].hex()

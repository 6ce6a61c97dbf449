"""Resources on the models of an application that was there first: their operations, history and deleted rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI

from freehold.errors import ConfigurationError
from freehold.jobs import Job
from freehold.resource.declaration import Resource
from freehold.store.database import Database
from freehold.store.outbox import Outbox
from freehold.store.purge import Purges
from freehold.traffic import Fetcher
from freehold.web.declared import declare, keep_mounted, offer
from freehold.web.mounting import mount
from freehold.web.upkeep import purge_deleted
from freehold.web.webhooks import open_webhooks, silence
from freehold.webhooks import Webhooks

LEAST_SECRET: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Resources for `install`, on models that the application has. secret: signs cursors and seals the secrets of webhooks;
    32 characters or more, to be kept. prefix: above the operations. webhooks: events of theirs that others may be told of;
    it names its own `principals`. fetcher: how addresses of users are asked; by default such of the public internet alone.
    """

    declared: Sequence[Resource]
    secret: str
    prefix: str = "/v1"
    webhooks: Webhooks | None = None
    fetcher: Fetcher = field(default_factory=Fetcher)

    def __post_init__(self) -> None:
        """Refuse a secret that can be guessed."""
        if len(self.secret) < LEAST_SECRET:
            raise ConfigurationError(f"install: Resources(secret=…) needs {LEAST_SECRET} characters or more")

    @property
    def all(self) -> list[Resource]:
        """With those of the webhooks."""
        own = [] if self.webhooks is None else [self.webhooks.endpoints, self.webhooks.deliveries]
        return [*self.declared, *own]


def add_resources(app: FastAPI, database: Database, given: Resources, outbox: Outbox) -> list[Job[Any]]:
    """Protect the models and mount the operations; the outbox and the jobs are to be run by the caller."""
    declare(database, given.all)
    mounted = mount(app.router, given.all, prefix=given.prefix, secret=given.secret.encode())
    offer(database, mounted)
    keep_mounted(app, mounted)
    jobs: list[Job[Any]] = [purge_deleted] if database.parts[Purges] else []
    if given.webhooks is not None:
        database.parts[Fetcher] = given.fetcher
        open_webhooks(given.webhooks, database, mounted, outbox, secret=given.secret, principals=None, tell=silence)
        jobs += given.webhooks.jobs
    return jobs

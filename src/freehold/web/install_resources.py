"""Resources on the models of an application that was there first: their operations, history and deleted rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI

from freehold.errors import ConfigurationError
from freehold.jobs import Job
from freehold.resource.declaration import Resource
from freehold.store.database import Database
from freehold.store.purge import Purges
from freehold.web.declared import declare, offer
from freehold.web.mounting import mount
from freehold.web.upkeep import purge_deleted

LEAST_SECRET: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Resources for `install`, on models that the application has. secret: signs cursors; 32 characters or more, to be
    kept. prefix: above the operations.
    """

    declared: Sequence[Resource]
    secret: str
    prefix: str = "/v1"

    def __post_init__(self) -> None:
        """Refuse a secret that can be guessed."""
        if len(self.secret) < LEAST_SECRET:
            raise ConfigurationError(f"install: Resources(secret=…) needs {LEAST_SECRET} characters or more")


def add_resources(app: FastAPI, database: Database, given: Resources) -> list[Job[Any]]:
    """Protect the models and mount the operations; the jobs are to be run by the caller."""
    declare(database, given.declared)
    mounted = mount(app.router, given.declared, prefix=given.prefix, secret=given.secret.encode())
    offer(database, mounted)
    app.state.fh_mounted = mounted
    return [purge_deleted] if database.parts[Purges] else []

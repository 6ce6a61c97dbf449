"""What lives as long as a process of an application that Freehold was installed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from sqlalchemy import MetaData

from freehold.jobs import Jobs
from freehold.store import schema
from freehold.store.database import Database
from freehold.traffic.service import Traffic
from freehold.web.install_identity import InstalledIdentity
from freehold.web.install_servers import SharedServers
from freehold.web.replicas import ReadReplicas


@dataclass(frozen=True, slots=True)
class Process:
    """The parts that start before the first request. creates: makes the tables that are missing.

    metadata: of the models that Freehold was told of. own_lifespan: what the application itself opens.
    The database keeps it among its parts, for commands.
    """

    title: str
    database: Database
    servers: SharedServers
    traffic: Traffic
    replicas: ReadReplicas | None
    accounts: InstalledIdentity | None
    jobs: Jobs | None
    creates: bool
    metadata: tuple[MetaData, ...]
    own_lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]]

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The database with its tables, and the servers that tell other processes of what is written."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            await self.database.start()
            if self.creates:
                tables = [] if self.accounts is None else self.accounts.tables
                await schema.create_missing(self.database, [], tables=tables)
            await self.database.put_up_wall()
            await stack.enter_async_context(self.servers.open(self.traffic, self.database, self.replicas))
            yield

    @asynccontextmanager
    async def running(self, *, serves: bool = True) -> AsyncIterator[None]:
        """Started one after the other, and stopped the other way round.

        serves: with FREEHOLD_JOBS=apart such a process leaves the jobs to those that do not.
        """
        settings = self.servers.settings
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.opened())
            if self.accounts is not None:
                await stack.enter_async_context(self.accounts.open(self.database))
            if self.jobs is not None:
                stack.push_async_callback(self.jobs.stop)
                await self.jobs.start(apart=serves and settings is not None and settings.jobs == "apart")
            yield

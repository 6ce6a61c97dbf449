"""A process that runs jobs and serves nobody: the probes of a service, with its jobs behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from fastapi import FastAPI
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette

from freehold.errors import ConfigurationError
from freehold.jobs import Jobs
from freehold.observe.health import Health
from freehold.observe.metrics import Metrics
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.web.app import Freehold
from freehold.web.install_process import Process
from freehold.web.probes import probe_routes

# Connections that jobs leave to the heartbeats of their leases, and to what else a worker writes.
_SPARE_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class Workplace:
    """A service as its workers see it. running: what lives as long as a process that runs its jobs."""

    title: str
    settings: Settings
    database: Database
    jobs: Jobs
    health: Health
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[Any]]

    @classmethod
    def of(cls, app: Freehold) -> Self:
        """Of an application made by Freehold."""
        running = partial(app.running, serves=False)
        return cls(app.title, app.settings, app.database, app.jobs, app.health, app.metrics, running)

    @classmethod
    def of_installed(cls, app: FastAPI, process: Process) -> Self:
        """Of one that Freehold was installed in. Raises ConfigurationError where it has no jobs, or does not say who runs them."""
        settings, health, metrics = process.servers.settings, Health(), Metrics()
        if process.jobs is None:
            raise ConfigurationError(f"{process.title} has no jobs: install(..., jobs=[…]).")
        if settings is None:
            raise ConfigurationError(
                f"{process.title} runs its jobs itself: FREEHOLD_JOBS is read by install(..., settings=Settings.load())."
            )
        jobs = replace(process.jobs, metrics=metrics)
        running = partial(_installed, app, replace(process, jobs=jobs), health)
        return cls(process.title, settings, process.database, jobs, health, metrics, running)


@asynccontextmanager
async def _installed(app: FastAPI, process: Process, health: Health) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(process.own_lifespan(app))
        await stack.enter_async_context(process.running(serves=False))
        health.register("database", process.database.ping)
        stack.push_async_callback(health.stop)
        await health.start()
        yield


class Worker(Starlette):
    """Answers `/health/live`, `/health/ready` and `/metrics`, and runs the jobs of `service` meanwhile.

    queues: serve these only; all when empty. Raises ConfigurationError where the service runs its jobs itself, for an
    unknown queue, and for more jobs at a time than there are database connections.
    """

    def __init__(self, service: Workplace, *, queues: Collection[str] = (), concurrency: int = 4) -> None:
        if service.settings.jobs != "apart":
            raise ConfigurationError(
                "FREEHOLD_JOBS is inside: the processes that serve run the jobs themselves. "
                "Set FREEHOLD_JOBS=apart for them and for the workers."
            )
        _refuse_too_many(service, concurrency)
        if queues:
            service.jobs.serve(queues)
        service.jobs.concurrency = concurrency
        self.service = service
        self._is_draining = False
        routes = probe_routes(
            service.health,
            service.metrics,
            is_draining=lambda: self._is_draining,
            show_metrics=service.settings.metrics_enabled,
        )
        super().__init__(routes=routes, lifespan=_running)

    def begin_drain(self, *, is_replaced: bool = False) -> None:
        """This process is about to end: it begins no further job, and is not ready, unless another works in its place.

        Sets flags alone: a signal handler may call it.
        """
        self.service.jobs.take_no_more()
        self._is_draining = not is_replaced


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[None]:
    async with worker.service.running():
        yield


def _refuse_too_many(service: Workplace, concurrency: int) -> None:
    pool = service.database.engine.sync_engine.pool
    if not isinstance(pool, QueuePool) or service.database.dialect_name == "sqlite":  # there one writes at a time
        return
    most = pool.size() - _SPARE_CONNECTIONS
    if concurrency > most:
        raise ConfigurationError(
            f"--concurrency {concurrency}: a job may hold a database connection, and a process has {most} for jobs. "
            f"Give {most} or fewer, and more --processes."
        )

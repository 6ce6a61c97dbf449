"""A service without a server: its database open, for commands that read or write rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freehold.cli.target import load, name_of
from freehold.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

    from freehold.identity import Identity
    from freehold.jobs import Jobs
    from freehold.media import Files
    from freehold.store.database import Database
    from freehold.store.session import Session
    from freehold.web.app import Freehold
    from freehold.web.install_process import Process
    from freehold.web.mounting import Mounted

Work = Callable[["Identity", "Session"], Awaitable[Any]]


def freehold_app(target: str | None) -> Freehold:
    """The target, where it is a Freehold app. Raises ConfigurationError for any other."""
    from freehold.web.app import Freehold

    app = load(target)
    if isinstance(app, Freehold):
        return app
    if installed(app) is not None:
        raise ConfigurationError(
            f"{name_of(target)} is a FastAPI app that Freehold was installed in; this command needs one made by Freehold(...)."
        )
    raise _plain(target)


def installed(app: FastAPI) -> Process | None:
    """What `install` has made of an application; None where it was not called."""
    from freehold.web.install_process import Process

    runtime = getattr(app.state, "freehold", None)
    return None if runtime is None else runtime.database.parts.get(Process)


def process_or_refuse(app: FastAPI, target: str | None) -> Process:
    """What `install` has made of it. Raises ConfigurationError for an application that knows nothing of Freehold."""
    found = installed(app)
    if found is None:
        raise _plain(target)
    return found


def _plain(target: str | None) -> ConfigurationError:
    return ConfigurationError(f"{name_of(target)} is a plain FastAPI app; this command needs a Freehold app.")


def identity_of(app: Freehold) -> Identity:
    """Its accounts. Raises ConfigurationError where it has none of its own."""
    return identity_or_refuse(app, app.identity)


def identity_or_refuse(app: FastAPI, identity: Identity | None) -> Identity:
    """The same of one that Freehold may have been installed in."""
    from freehold.web.app import Freehold

    if identity is None:
        made_by = "Freehold" if isinstance(app, Freehold) else "install"
        raise ConfigurationError(f"{app.title} has no accounts of its own: {made_by}(..., identity=Identity(...)).")
    return identity


@dataclass(frozen=True, slots=True)
class Service:
    """A service as commands see it, whether Freehold has made it or was installed in it.

    jobs, identity: None where it has none of its own. open: its database, and what tells the processes that serve.
    """

    app: FastAPI
    database: Database
    jobs: Jobs | None
    identity: Identity | None
    mounted: Mounted
    open: Callable[[], AbstractAsyncContextManager[None]]


def service_of(target: str | None) -> Service:
    """The target. Raises ConfigurationError for an application that knows nothing of Freehold."""
    from freehold.web.app import Freehold
    from freehold.web.declared import mounted_in

    app = load(target)
    if isinstance(app, Freehold):
        return Service(app, app.database, app.jobs, app.identity, app.mounted, lambda: opened(app))
    process = process_or_refuse(app, target)
    identity = None if process.accounts is None else process.accounts.identity
    return Service(app, process.database, process.jobs, identity, mounted_in(app), process.opened)


@dataclass(frozen=True, slots=True)
class Accounts:
    """A service as commands on its accounts see it. open: as of `Service`."""

    title: str
    identity: Identity
    database: Database
    open: Callable[[], AbstractAsyncContextManager[None]]


def accounts_of(target: str | None) -> Accounts:
    """The accounts of the target. Raises ConfigurationError without any."""
    service = service_of(target)
    identity = identity_or_refuse(service.app, service.identity)
    return Accounts(service.app.title, identity, service.database, service.open)


def run_on_accounts(service: Accounts, reason: str, work: Work, *, writes: bool = True) -> Any:
    """Do the work in one unit, or reading; what it gives. Raises ConfigurationError for whatever is refused."""

    async def inside() -> Any:
        from freehold.resource.principal import system

        try:
            async with service.open():
                if not writes:
                    async with service.database.reading(system(reason)) as session:
                        return await work(service.identity, session)
                async with service.database.writing(system(reason)) as unit:
                    return await work(service.identity, unit.session)
        finally:
            await service.identity.close()

    try:
        return asyncio.run(inside())
    except Problem as problem:
        faults = "; ".join(fault.message for fault in problem.errors)
        raise ConfigurationError(f"{problem.detail or problem.title} {faults}".strip()) from None


def files_of(app: Freehold) -> Files | None:
    """Where it keeps files; None for a service that takes none."""
    from freehold.web.import_job import ImportDesk

    if app.library is not None:
        return app.library.files
    desk: ImportDesk | None = app.database.parts.get(ImportDesk)
    return None if desk is None else desk.files


@asynccontextmanager
async def opened(app: Freehold) -> AsyncIterator[None]:
    """The database open and its schema checked; jobs stay where they are, for the service to run.

    Redis too, so that the processes that serve hear of what is written.
    """
    from freehold.web.schema import prepare_schema

    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.database.close)
        await app.database.start()
        if app.redis is not None:
            stack.push_async_callback(app.redis.close)
            await app.redis.open()
        await prepare_schema(app)
        yield

"""`install`: an existing FastAPI and SQLAlchemy application keeps its code and gets the unit of work around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from freehold.jobs import Job, Jobs
from freehold.mail import Mailer
from freehold.media import MediaHost
from freehold.resource.access import Access
from freehold.resource.principal import Principal
from freehold.resource.quotas import Limits
from freehold.store import schema
from freehold.store.database import Database
from freehold.store.invariants import Registry as Invariants
from freehold.store.outbox import Outbox
from freehold.store.session import AdoptedSession, Session
from freehold.web import adoption
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.install_media import add_media
from freehold.web.install_resources import Resources, add_resources
from freehold.web.install_servers import SharedServers
from freehold.web.media import room_for
from freehold.web.problems import install_handlers
from freehold.web.runtime import NoAccounts, Runtime
from freehold.web.unit import UnitRouteMixin, current_session

Identify = Callable[[HTTPConnection], Awaitable[Principal]]


def install(
    app: FastAPI,
    engine: AsyncEngine,
    *,
    session: Callable[..., Any],
    principal: Identify | None = None,
    access: Mapping[type[DeclarativeBase], Access] | None = None,
    edge: EdgeOptions | None = None,
    jobs: Iterable[Job[Any]] = (),
    mail: Mailer | None = None,
    media: MediaHost | None = None,
    limits: Limits | None = None,
    resources: Resources | None = None,
    redis: str = "",
    broker: str = "",
    secret: str = "",
    create_ledger: bool = True,
) -> Database:
    """Put Freehold around an application that is there already. Call it after the last route was added.

    Each POST, PUT, PATCH and DELETE runs in one transaction that commits before the answer, with Idempotency-Key; a
    status of 400 or more rolls back; errors become problem documents; the edge sets its headers and limits.

    session: the application's own session dependency; in its place endpoints get the session of the unit, in which
    `commit()` flushes and `rollback()` goes back to the last `commit()`. A GET reads only.
    principal: from a request to its caller (it may verify the application's own token); nobody without it.
    access: rules for models of the application, written into every statement on their tables from then on.
    edge: hosts, origins and limits; any host without it. jobs: functions made by `@job`, run in this process.
    mail: what `send_mail` and `send_letter` send with, by a job that commits with its cause.
    limits: quotas of reads and writes, for operations that declare none of their own (`allow(…, quota=…)`).
    media: files that people may upload, at `/v1/media` and `/v1/uploads`.
    resources: declared on models of the application, in place of `access` for these: their operations stand beside its
    own, with history, restoration and webhooks; `db.delete(row)` of its own code then marks a row that is deleted softly.
    redis: `redis://…`, `rediss://…` or `unix://…`: limits and kept answers of all processes; without it each has its own.
    broker: `nats://…`, `amqp://…` or `redis://…`: wakes the jobs of other processes at once; by default that Redis.
    secret: of the application, 32 bytes at least, the same in all its processes; with `redis` or `broker` it is needed.
    create_ledger: make Freehold's own tables at the start;
    switch it off where the database is migrated by `freehold migrate up`.
    Remove it again by deleting the call: nothing else in the application changes.
    Raises ConfigurationError for what is declared wrong.
    """
    shared = SharedServers.of(redis=redis, broker=broker, secret=secret, service=app.title)
    database = Database.adopt(engine, session_class=AdoptedSession)
    for model, rules in (access or {}).items():
        database.registry.protect(model, rules)
    known = list(jobs)
    if mail is not None:
        database.parts[Mailer] = mail
        known.append(mail.job)
    traffic = shared.traffic(database, limits)
    app.state.freehold = Runtime(
        database=database,
        authenticator=NoAccounts(),
        traffic=traffic,
        identify=principal or adoption.nobody,
        retry_secret=secret.encode(),
    )
    app.dependency_overrides[session] = _unit_session
    _wrap_routes(app)
    outbox = Outbox(database)
    options = edge or EdgeOptions(hosts=("*",))
    if media is not None:  # after the application's own routes were wrapped: these bring their unit along
        known += add_media(app, database, media).jobs
        app.state.freehold.invariants = Invariants(media.media.model.metadata)
        options = replace(options, roomy=(*options.roomy, *room_for(media.media, prefix=media.prefix)))
    if resources is not None:
        known += add_resources(app, database, resources, outbox)
        metadata = {each.model.metadata for each in resources.declared}
        metadata |= {media.media.model.metadata} if media is not None else set()
        app.state.freehold.invariants = Invariants(*metadata)
    # Of resources, the outbox holds what nobody may have subscribed to: that is cleared away there, too.
    worker = Jobs(database, jobs=known, outbox=outbox) if known or resources is not None else None
    install_handlers(app)
    _wrap_edge(app, options)
    _wrap_lifespan(app, database, worker, shared, create_ledger=create_ledger)
    return database


async def _unit_session() -> Session:
    return current_session()


def _wrap_routes(app: FastAPI) -> None:
    kinds: dict[type[APIRoute], type[APIRoute]] = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or adoption.streams(route):
            continue
        if not isinstance(route, UnitRouteMixin):
            kind = type(route)
            kinds.setdefault(kind, type(f"Unit{kind.__name__}", (UnitRouteMixin, kind), {}))
            route.__class__ = kinds[kind]
        adoption.rebuild(context, route)


def _wrap_edge(app: FastAPI, options: EdgeOptions) -> None:
    build = app.build_middleware_stack

    def with_edge() -> ASGIApp:
        return Edge(build(), options)

    app.build_middleware_stack = with_edge  # type: ignore[method-assign]


def _wrap_lifespan(
    app: FastAPI, database: Database, jobs: Jobs | None, shared: SharedServers, *, create_ledger: bool
) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
        async with inner(served) as state:
            await database.start()
            try:
                if create_ledger:
                    await schema.create_missing(database, [])
                await database.put_up_wall()
                async with shared.open(served, database):
                    if jobs is not None:
                        await jobs.start()
                    yield state
            finally:
                if jobs is not None:
                    await jobs.stop()
                await database.close()

    app.router.lifespan_context = lifespan

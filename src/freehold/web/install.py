"""`install`: an existing FastAPI and SQLAlchemy application keeps its code and gets the unit of work around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from freehold.errors import ConfigurationError
from freehold.identity import Identity
from freehold.jobs import Job, Jobs, Principals
from freehold.jobs.carriage import nobody_found
from freehold.mail import Mailer
from freehold.media import MediaHost
from freehold.resource.access import Access
from freehold.resource.principal import Principal
from freehold.resource.quotas import Limits
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.invariants import Registry as Invariants
from freehold.store.outbox import Outbox
from freehold.store.session import AdoptedSession
from freehold.web import adoption
from freehold.web.below import join_below
from freehold.web.edge import Edge, EdgeOptions
from freehold.web.install_identity import InstalledIdentity
from freehold.web.install_media import add_media
from freehold.web.install_process import Process
from freehold.web.install_resources import Resources, add_resources
from freehold.web.install_servers import SharedServers
from freehold.web.mail import mailer_of
from freehold.web.media import room_for
from freehold.web.problems import install_handlers
from freehold.web.runtime import NoAccounts, Runtime
from freehold.web.unit import UnitRouteMixin, current_session

Identify = Callable[[HTTPConnection], Awaitable[Principal]]


def install(
    app: FastAPI,
    engine: AsyncEngine,
    *,
    session: Callable[..., Any] | None = None,
    principal: Identify | None = None,
    identity: Identity | None = None,
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
    settings: Settings | None = None,
    create_ledger: bool = True,
) -> Database:
    """Put Freehold around an application that is there already. Call it after the last route was added.

    Each POST, PUT, PATCH and DELETE runs in one transaction that commits before the answer, with Idempotency-Key; a
    status of 400 or more rolls back; errors become problem documents; the edge sets its headers and limits.

    session: the application's own session dependency; in its place endpoints get the session of the unit, in which
    `commit()` flushes and `rollback()` goes back to the last `commit()`. A GET reads only. Without one, `Db` is that session.
    principal: from a request to its caller (it may verify the application's own token); nobody without it.
    identity: accounts, log-in and what it declares besides, in place of `principal`. Its operations stand beside the
    application's own, which say by `dependencies=[allow(signed_in)]` who may call them, and take the caller as `Caller`.
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
    settings: say what is not given here: secret, Redis, broker, replicas, mail, the edge, and whether `freehold worker`
    runs the jobs. With an identity they are read from the environment where not given.
    create_ledger: make Freehold's own tables at the start, and outside production that of the accounts;
    switch it off where the database is migrated by `freehold migrate up`.
    Remove it again by deleting the call: nothing else in the application changes.
    Raises ConfigurationError for what is declared wrong.
    """
    if identity is not None and principal is not None:
        raise ConfigurationError(
            "install: identity= says who the callers are, and so does principal=. Give one of them"
        )
    accounts = None
    if identity is not None and settings is None:
        settings = Settings.load()
    if settings is not None:
        mail = mail or mailer_of(settings, service=app.title)
        edge = edge or EdgeOptions.from_settings(settings)
        accounts = None if identity is None else InstalledIdentity(identity, settings, mail)
    shared = SharedServers.of(redis=redis, broker=broker, secret=secret, service=app.title, settings=settings)
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
        retry_secret=shared.secret.encode(),
    )
    if session is not None:
        app.dependency_overrides[session] = current_session
    _wrap_routes(app)
    outbox = Outbox(database)
    options = edge or EdgeOptions(hosts=("*",))
    metadata: list[MetaData] = []
    if media is not None:  # after the application's own routes were wrapped: these bring their unit along
        known += add_media(app, database, media).jobs
        metadata.append(media.media.model.metadata)
        options = replace(options, roomy=(*options.roomy, *room_for(media.media, prefix=media.prefix)))
    if resources is not None:
        known += add_resources(app, database, resources, outbox)
        metadata += [each.model.metadata for each in resources.declared]
    app.state.freehold.invariants = Invariants(*dict.fromkeys(metadata))
    find: Principals = nobody_found
    if accounts is not None:
        known += accounts.add(app, database, [] if resources is None else resources.all)
        find = accounts.finder(database)
        metadata.append(accounts.identity.user.metadata)  # type: ignore[attr-defined]
    # Of resources, the outbox holds what nobody may have subscribed to: that is cleared away there, too.
    has_work = known or resources is not None
    key = shared.secret.encode()
    worker = Jobs(database, jobs=known, outbox=outbox, principals=find, audit_key=key) if has_work else None
    install_handlers(app)
    _wrap_edge(app, options)
    process = Process(
        app.title,
        database,
        shared,
        traffic,
        shared.replicas(database, traffic),
        accounts,
        worker,
        creates=create_ledger,
        metadata=tuple(dict.fromkeys(metadata)),
        own_lifespan=app.router.lifespan_context,
    )
    database.parts[Process] = process
    _wrap_lifespan(app, process)
    return database


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
        join_below(app)
        return Edge(build(), options)

    app.build_middleware_stack = with_edge  # type: ignore[method-assign]


def _wrap_lifespan(app: FastAPI, process: Process) -> None:
    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
        async with process.own_lifespan(served) as state, process.running():
            yield state

    app.router.lifespan_context = lifespan

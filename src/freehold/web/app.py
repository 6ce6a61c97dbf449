"""`Freehold`: a FastAPI application made of declared resources."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy import MetaData
from starlette.types import ASGIApp

from freehold.errors import ConfigurationError
from freehold.identity import Identity
from freehold.jobs import Job, Jobs, Principals
from freehold.jobs.carriage import Lookup, nobody_found
from freehold.mail import Leave, Leaving, Mailer, MailTransport
from freehold.media import Library, Media, open_library
from freehold.media.opening import open_files
from freehold.observe import logs
from freehold.observe.health import Health
from freehold.observe.metrics import Metrics
from freehold.resource.declaration import Resource
from freehold.resource.principal import Authenticator
from freehold.resource.quotas import Limits
from freehold.settings import Settings
from freehold.store.awaiting import await_server
from freehold.store.database import Database
from freehold.store.invariants import Registry as Invariants
from freehold.store.ledger import LEDGER
from freehold.store.outbox import Outbox
from freehold.store.purge import Purges
from freehold.store.waking import Waking
from freehold.traffic.fetch import Fetcher
from freehold.transfer.target import Targets
from freehold.web import accounts
from freehold.web.batch import batch_router
from freehold.web.below import join_below
from freehold.web.compiled.direct import Direct
from freehold.web.compiled.front import Entrance, Front, in_front
from freehold.web.credentials import CredentialChain
from freehold.web.declared import declare, offer
from freehold.web.development import logging_blocks, timed, timed_guard
from freehold.web.edge import Edge
from freehold.web.edge_building import edge_of
from freehold.web.identity import credential_readers, identity_router
from freehold.web.import_job import ImportDesk
from freehold.web.importing import ResourceTarget
from freehold.web.imports import has_imports, open_imports
from freehold.web.jobs import jobs_router, require_followable
from freehold.web.mail import leaving_router, mailer_of
from freehold.web.media import media_router
from freehold.web.mounting import Mounted, mount
from freehold.web.openapi import document
from freehold.web.plain_routes import add_plain_routes
from freehold.web.problems import install_handlers
from freehold.web.replicas import replicas_of
from freehold.web.runtime import NoAccounts, Runtime
from freehold.web.schema import open_database, prepare_schema, tell_of_waiting
from freehold.web.shared import announcer_of, redis_of, traffic_of
from freehold.web.unguarded import keeps_answers, refuse_unguarded, warn_of_unkept, warn_of_unmounted
from freehold.web.upkeep import purge_deleted, sweep_imports, sweep_keys
from freehold.web.webhooks import mailing, open_webhooks
from freehold.webhooks import Webhooks
from freehold.webhooks.upkeep import forget_receipts

Lifespan = Callable[["Freehold"], AbstractAsyncContextManager[Any]]


class Freehold(Entrance):
    """A service: resources, the routers of one's own, accounts, jobs, and everything that production asks for.

    resources: mounted under `prefix`. identity: accounts and log-in; without one, and with a rule that asks who the
    caller is, a plain one with a `users` table. authenticator: another identity system instead. routers: path
    operations of one's own (`Router`). jobs: functions made by `@job`. settings: read from the environment when not
    given. database: opened from the settings when not given. metadata: of further tables that development creates.
    migrations: the folder of the Alembic history; without one, development creates missing tables at the start, and
    other environments refuse to start. mail: how mail leaves; by the settings when not given: SMTP, or files in the var
    folder. letters: folders of templates that come before Freehold's own. leave_mail: notes that a person wants no more
    mails of a kind; with it `leave_address` makes links that end them with one click.
    media: the files that people may upload. webhooks: the events that others may be told of. limits: quotas of reads and writes, for what declares none of its own.
    batch: whether `POST {prefix}/batch` takes several operations in one commit.
    lifespan: entered once the database is there. Other keywords are FastAPI's.

    Raises ConfigurationError, at once, for a wrong declaration or setting.
    """

    def __init__(
        self,
        *resources: Resource,
        title: str = "Freehold",
        prefix: str = "/v1",
        identity: Identity | None = None,
        authenticator: Authenticator | None = None,
        routers: Sequence[APIRouter] = (),
        jobs: Iterable[Job[Any]] = (),
        settings: Settings | None = None,
        database: Database | None = None,
        metadata: Sequence[MetaData] = (),
        migrations: str | None = None,
        mail: MailTransport | None = None,
        letters: Sequence[Path] = (),
        leave_mail: Leave | None = None,
        media: Media | None = None,
        webhooks: Webhooks | None = None,
        limits: Limits | None = None,
        batch: bool = False,
        lifespan: Lifespan | None = None,
        **fastapi: Any,
    ) -> None:
        self.settings = settings or Settings.load()
        self.declared_webhooks = webhooks
        further = () if webhooks is None else (webhooks.endpoints, webhooks.deliveries)
        self.resources = (*resources, *([] if media is None else [media.resource]), *further)
        self.migrations = migrations
        self.database = database or open_database(self.settings)
        self.identity = identity
        if identity is None and authenticator is None and accounts.are_needed(self.resources):
            self.identity = accounts.plain_identity()
        self.health, self.metrics = Health(), Metrics()
        self.redis = redis_of(self.settings, service=title, metrics=self.metrics)
        self.traffic = traffic_of(
            self.settings,
            self.database,
            self.redis,
            limits=limits,
            keeps=lambda: self._keeps_answers,
            metrics=self.metrics,
        )
        self.replicas = replicas_of(self.settings, self.database, self.redis, self.traffic, metrics=self.metrics)
        self._own_lifespan = lifespan
        self._edge: Edge | None = None
        self._further_metadata = tuple(metadata)
        super().__init__(
            title=title, lifespan=_lifespan, redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None,
            **fastapi,
        )  # fmt: skip
        self.mailer = mailer_of(self.settings, service=title, transport=mail, letters=letters)
        self.database.parts[Mailer] = self.mailer
        self.database.parts[Fetcher] = Fetcher(
            allowed=self.settings.allowed_receivers, agent=f"{title} (+{self.settings.public_url})"
        )
        self._bind_identity()
        self.library = None if media is None else self._open(media)
        self.mounted = self._mount(prefix)
        if has_imports(self.mounted):
            folder = self.settings.var_dir / "files"
            files = open_files(self.settings.files_url, folder) if self.library is None else self.library.files
            self.include_router(open_imports(self.database, files, self.settings, prefix=prefix))
        self.outbox = Outbox(self.database)
        find = self._finder(authenticator)
        if webhooks is not None:
            open_webhooks(
                webhooks, self.database, self.mounted, self.outbox, secret=self.settings.secret_value,
                principals=find, tell=mailing(self.mailer, self.identity),
            )  # fmt: skip
        self.jobs = self._jobs(jobs, find or nobody_found)
        self.announcer = announcer_of(self.settings, self.database.parts[Waking], service=title, metrics=self.metrics)
        require_followable(self.resources, self.jobs)
        self.state.freehold = self._runtime(authenticator)
        targets = [ResourceTarget(bound, self.state.freehold) for bound in self.mounted.bounds]
        self.database.parts[Targets] = Targets({each.name: each for each in targets})
        if self.library is not None:
            self.include_router(
                media_router(self.library, self.mounted, prefix=prefix, principals=find or nobody_found)
            )
        if self.jobs.tracked:
            self.include_router(jobs_router(self.jobs, prefix=prefix))
        if batch:
            self.include_router(batch_router(self.mounted, prefix=prefix))
        if leave_mail is not None:
            self._let_leave(leave_mail)
        for router in routers:
            self.include_router(router)
        if self.identity is not None:
            self.include_router(identity_router(self.identity))
        add_plain_routes(self)
        install_handlers(self)

    @property
    def all_metadata(self) -> list[MetaData]:
        """The metadata of every table that this service owns, without Freehold's own."""
        found = [resource.model.metadata for resource in self.resources] + list(self._further_metadata)
        if self.identity is not None:
            found.append(self.identity.user.metadata)  # type: ignore[attr-defined]
        return [each for each in dict.fromkeys(found) if each is not LEDGER]

    @property
    def edge(self) -> Edge | None:
        """The outermost layer, once the first request or the lifespan has built it."""
        return self._edge

    def begin_drain(self, *, is_replaced: bool = False) -> None:
        """This process is about to end: it takes no more jobs, and is not ready, unless others serve in its place.

        Sets flags alone: a signal handler may call it.
        """
        self.jobs.take_no_more()
        if self._edge is not None and not is_replaced:
            self._edge.begin_drain()

    @cached_property
    def _keeps_answers(self) -> bool:
        return keeps_answers(self, self.mounted)

    def _let_leave(self, leave: Leave) -> None:
        given = self.settings
        leaving = Leaving(leave, secret=given.secret_value.encode(), public_url=given.public_url)
        self.database.parts[Leaving] = leaving
        self.include_router(leaving_router(leaving, service=self.title))

    def _open(self, media: Media) -> Library:
        given = self.settings
        return open_library(
            media,
            self.database,
            secret=given.secret_value,
            folder=given.var_dir / "files",
            files_url=given.files_url,
            places=self.traffic.admission.places,
        )

    def _bind_identity(self) -> None:
        if self.identity is not None:
            accounts.bind(
                self.identity, self.database, self.settings, self.mailer, limiter=self.traffic.limiter, title=self.title
            )

    def _mount(self, prefix: str) -> Mounted:
        declare(self.database, self.resources)
        accounts.protect(self.database, self.identity, self.resources)
        mounted = mount(self.router, self.resources, prefix=prefix, secret=self.settings.secret_value.encode())
        offer(self.database, mounted)
        return mounted

    def _finder(self, authenticator: Authenticator | None) -> Principals | None:
        """Who somebody is by now: of Freehold's accounts, or as the authenticator says where it is a `Finder` too."""
        find: Principals | None = getattr(authenticator, "find", None)
        if self.identity is not None:
            find = accounts.principals(self.database, self.identity)
        if find is None and authenticator is not None and has_imports(self.mounted):
            raise ConfigurationError(
                "An import runs as who sent the file: authenticator= needs `find(principal_id)`, which says who that is by then"
            )
        self.database.parts[Lookup] = Lookup(find)
        return find

    def _jobs(self, jobs: Iterable[Job[Any]], principals: Principals) -> Jobs:
        known: list[Job[Any]] = [*jobs, self.mailer.job, sweep_keys, sweep_imports, forget_receipts]
        if self.declared_webhooks is not None:
            known += self.declared_webhooks.jobs
        if self.database.parts.get(Purges):
            known.append(purge_deleted)
        if self.identity is not None:
            known += self.identity.jobs
        if self.library is not None:
            known += self.library.jobs
        desk = self.database.parts.get(ImportDesk)
        if desk is not None:
            known += (desk.job, desk.sweep)
        return Jobs(
            self.database,
            jobs=known,
            principals=principals,
            outbox=self.outbox,
            audit_key=self.settings.secret_value.encode(),
            metrics=self.metrics,
        )

    def _runtime(self, authenticator: Authenticator | None) -> Runtime:
        return Runtime(
            database=self.database,
            authenticator=timed_guard(authenticator or self.identity or NoAccounts(), self.settings),
            credentials=CredentialChain(() if self.identity is None else credential_readers(self.identity)),
            traffic=self.traffic,
            load_actor=accounts.actor_loader(self.identity.user) if self.identity is not None else None,
            deadline_seconds=self.settings.deadline_seconds,
            retry_secret=self.settings.secret_value.encode(),
            invariants=Invariants(*self.all_metadata),
        )

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's stack, inside the edge."""
        if self._edge is None:
            join_below(self)
            inside = timed(in_front(super().build_middleware_stack(), self, self.mounted), self)
            self._edge = edge_of(self, inside)
            if isinstance(inside, Front):
                self._edge.direct = Direct(self._edge, inside, self)
        return self._edge

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document: FastAPI's, with the operations of resources described from their declaration."""
        if self.openapi_schema is None:
            self.openapi_schema = document(self, super().openapi(), self.mounted.operations)
        return self.openapi_schema

    @asynccontextmanager
    async def running(self, *, serves: bool = True) -> AsyncIterator[None]:
        """Everything that lives as long as the process: database, keys, own lifespan, jobs, health.

        serves: with FREEHOLD_JOBS=apart such a process leaves the jobs to those that do not.
        """
        logs.configure(style="json" if self.settings.json_logs else "console", level=self.settings.log_level)
        refuse_unguarded(self)
        warn_of_unmounted(self.mounted)
        warn_of_unkept(self.mounted, self.settings)
        async with AsyncExitStack() as stack:
            stack.enter_context(logging_blocks(self.settings))
            stack.push_async_callback(self.database.close)
            if self.redis is not None:
                stack.push_async_callback(self.redis.close)
                await self.redis.open()
                self.health.register("redis", self.redis.is_there, is_needed=False)
            stack.push_async_callback(self.traffic.close)
            await await_server(self.database.engine, seconds=self.settings.start_seconds, say=tell_of_waiting)
            await self.database.start()
            await prepare_schema(self)
            await self.traffic.start()
            if self.replicas is not None:
                stack.push_async_callback(self.replicas.close)
                await self.replicas.start()
            if self.identity is not None:
                stack.push_async_callback(self.identity.close)
                await self.identity.start()
            if self._own_lifespan is not None:
                await stack.enter_async_context(self._own_lifespan(self))
            stack.push_async_callback(self.jobs.stop)
            await self.jobs.start(apart=serves and self.settings.jobs == "apart")
            if self.announcer is not None:
                stack.push_async_callback(self.announcer.stop)
                await self.announcer.start()
                self.health.register("broker", self.announcer.is_there, is_needed=False)
            self.health.register("database", self.database.ping)
            stack.push_async_callback(self.health.stop)
            await self.health.start()
            yield


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    if not isinstance(app, Freehold):
        raise ConfigurationError("the lifespan of Freehold belongs to Freehold")
    async with app.running():
        yield

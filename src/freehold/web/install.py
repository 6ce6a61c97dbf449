"""`install`: an existing FastAPI and SQLAlchemy application keeps its code and gets the unit of work around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from freehold.resource.access import Access
from freehold.resource.principal import Principal
from freehold.store import schema
from freehold.store.database import Database
from freehold.store.session import AdoptedSession, Session
from freehold.web import adoption
from freehold.web.edge import Edge, EdgeOptions
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
    create_ledger: bool = True,
) -> Database:
    """Put Freehold around an application that is there already. Call it after the last route was added.

    Each POST, PUT, PATCH and DELETE runs in one transaction that commits before the answer, with Idempotency-Key; a
    status of 400 or more rolls back; errors become problem documents; the edge sets its headers and limits.

    session: the application's own session dependency; in its place endpoints get the session of the unit, in which
    `commit()` flushes and `rollback()` goes back to the last `commit()`. A GET reads only.
    principal: from a request to its caller (it may verify the application's own token); nobody without it.
    access: rules for models of the application, written into every statement on their tables from then on.
    edge: hosts, origins and limits; any host without it. create_ledger: make Freehold's own tables at the start;
    switch it off where the database is migrated by `freehold migrate up`.
    Remove it again by deleting the call: nothing else in the application changes.
    """
    database = Database.adopt(engine, session_class=AdoptedSession)
    for model, rules in (access or {}).items():
        database.registry.protect(model, rules)
    app.state.freehold = Runtime(database=database, authenticator=NoAccounts(), identify=principal or adoption.nobody)
    app.dependency_overrides[session] = _unit_session
    _wrap_routes(app)
    install_handlers(app)
    _wrap_edge(app, edge or EdgeOptions(hosts=("*",)))
    _wrap_lifespan(app, database, create_ledger=create_ledger)
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


def _wrap_lifespan(app: FastAPI, database: Database, *, create_ledger: bool) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[Any]:
        async with inner(served) as state:
            await database.start()
            try:
                if create_ledger:
                    await schema.create_missing(database, [])
                yield state
            finally:
                await database.close()

    app.router.lifespan_context = lifespan

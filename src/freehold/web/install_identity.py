"""Accounts for an application that was there first: who its callers are, and the operations of identity beside its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Table

from freehold.errors import ConfigurationError
from freehold.identity import Identity
from freehold.jobs import Job, Principals
from freehold.jobs.carriage import Lookup
from freehold.mail import Mailer
from freehold.resource.declaration import Resource
from freehold.resource.principal import system
from freehold.settings import Settings
from freehold.store import schema
from freehold.store.database import Database
from freehold.web import accounts
from freehold.web.credentials import CredentialChain
from freehold.web.identity import credential_readers, identity_router
from freehold.web.runtime import Runtime
from freehold.web.upkeep import sweep_keys


@dataclass(frozen=True, slots=True)
class InstalledIdentity:
    """An identity, and what it is bound with."""

    identity: Identity
    settings: Settings
    mailer: Mailer

    def add(self, app: FastAPI, database: Database, resources: list[Resource]) -> list[Job[...]]:
        """Ask it who calls, and mount its operations; the jobs are to be run by the caller.

        After the application's own routes were wrapped: these bring their units along.
        """
        parts: Runtime = app.state.freehold
        identity = self.identity
        accounts.bind(identity, database, self.settings, self.mailer, limiter=parts.traffic.limiter, title=app.title)
        accounts.protect(database, identity, resources)
        parts.authenticator, parts.identify = identity, None
        parts.credentials = CredentialChain(credential_readers(identity))
        parts.load_actor = accounts.actor_loader(identity.user)
        parts.deadline_seconds = self.settings.deadline_seconds
        database.parts[Lookup] = Lookup(self.finder(database))
        app.include_router(identity_router(identity))
        return [*identity.jobs, sweep_keys]

    def finder(self, database: Database) -> Principals:
        """Who the owner of a job is by then."""
        return accounts.principals(database, self.identity)

    @property
    def tables(self) -> list[Table]:
        """Those that are made where tables are missing: with its history, the application's other tables are its own."""
        user: Any = self.identity.user
        return [] if self.settings.is_production else [user.__table__]

    @asynccontextmanager
    async def open(self, database: Database) -> AsyncIterator[None]:
        """Its keys read, for the life of a process. Raises ConfigurationError for a table or column that lacks."""
        user: Any = self.identity.user
        async with database.reading(system("compare the schema with the declarations")) as session:
            faults = await schema.faults(session, [], tables=[user.__table__])
        if faults:
            raise ConfigurationError(
                "the database does not fit the declarations: "
                + "; ".join(faults)
                + ". Migrate it with your own history"
            )
        await self.identity.start()
        try:
            yield
        finally:
            await self.identity.close()

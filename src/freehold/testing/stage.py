"""A running application in the test's own process: its clients, callers, rows and statements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2

from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.testing.budget import Statements, budget
from freehold.testing.budgets import Budgets, CountingTransport
from freehold.testing.callers import TestAuthenticator, principal_for
from freehold.testing.factories import Factory
from freehold.testing.isolation import IsolatedDatabase

if TYPE_CHECKING:
    from freehold.web.app import Freehold

BASE_URL = "http://testserver"


class Stage:
    """What a test plays on. Made by `House.stage` and by `running`."""

    def __init__(self, app: Freehold, authenticator: TestAuthenticator, statements: Statements) -> None:
        self.app = app
        self.make = Factory(app.database)
        self.statements = statements
        self._authenticator = authenticator
        self._transport: httpx2.AsyncBaseTransport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)

    @property
    def database(self) -> Database:
        """The application's database."""
        return self.app.database

    def admit(self, principal: Principal) -> dict[str, str]:
        """The headers that make a request the principal's."""
        return self._authenticator.admit(principal)

    def client(self, principal: Principal | None = None, **headers: str) -> httpx2.AsyncClient:
        """A client in process, for a caller or for nobody. headers: sent with each request."""
        admitted = self.admit(principal) if principal is not None else {}
        return httpx2.AsyncClient(transport=self._transport, base_url=BASE_URL, headers={**headers, **admitted})

    def as_user(
        self,
        user: Any = None,
        *,
        id: UUID | None = None,  # noqa: A002  # the name that a principal has it under
        roles: Collection[str] | None = None,
        scopes: Collection[str] | None = None,
        claims: Mapping[str, Any] | None = None,
        authenticated_at: datetime | None = None,
        amr: Collection[str] = (),
    ) -> httpx2.AsyncClient:
        """A client of somebody signed in, without a log-in. user: a row, whose id and roles count unless given.

        authenticated_at, amr: for rules with `recent` and `with_factor`; see `Principal`.
        """
        about: dict[str, Any] = {"authenticated_at": authenticated_at, "amr": amr}
        caller = principal_for(user, id=id, roles=roles, scopes=scopes, claims=claims, **about)
        if self.app.identity is not None:
            caller = replace(caller, roles=caller.roles | self.app.identity.rights(caller.roles))
        return self.client(caller)

    @contextmanager
    def budget(self, at_most: int) -> Iterator[None]:
        """Fail when the block runs more than `at_most` SQL statements."""
        with budget(self.statements, at_most):
            yield

    @contextmanager
    def budgets(self, at_most: Mapping[str, int], *, otherwise: int | None = None) -> Iterator[Budgets]:
        """Fail a request that runs more statements than its operation may: `{"GET /v1/books/{id}": 2}`.

        Of clients that are made in the block, one request at a time. otherwise: for operations that are not named. Yields
        the most that each one ran (`used`).
        """
        before, found = self._transport, Budgets(at_most, otherwise=otherwise)
        self._transport = CountingTransport(self.app, self.statements, found)
        try:
            yield found
        finally:
            self._transport = before

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Undo what the block does, at its end. Only on an isolated stage."""
        if not isinstance(self.database, IsolatedDatabase):
            raise TypeError("only an isolated stage can undo: running(app, isolate=True)")
        async with self.database.aside():
            yield

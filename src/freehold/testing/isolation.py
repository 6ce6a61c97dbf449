"""One transaction around a test: every unit inside it is a savepoint, and at the end nothing has happened.

What a test cannot see this way: deferred constraints (they speak at the real commit), two writers at once (units take
turns), and a reader that must not see an open unit. Tests of those take a database of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from freehold.resource.principal import Principal
from freehold.store.compiler import Scopes
from freehold.store.database import Database
from freehold.store.protection import Grant
from freehold.store.session import Session, bind_session
from freehold.store.touched import Watchers
from freehold.store.unit import Unit

_inside: ContextVar[str] = ContextVar("fh_testing_inside", default="")


class IsolatedDatabase(Database):
    """A `Database` on one connection whose outer transaction is never committed.

    What runs beside a test, such as a task of the application's lifespan, takes its turn like everybody. One whose turn
    comes after the test has ended is sent on to the database as it is by then.
    """

    _shared: AsyncConnection
    _turn: asyncio.Lock

    def share(self, connection: AsyncConnection) -> None:
        """Use this connection, inside its open transaction, for everything."""
        self._shared, self._turn = connection, asyncio.Lock()

    def read_path_of(self, principal: Principal) -> None:
        """None: what the test has done so far is on the shared connection alone."""

    @property
    def at_once(self) -> None:
        """None, likewise."""

    @property
    def read_scopes(self) -> Scopes:
        """Those of the shared connection."""
        return self.scopes

    async def stop_sharing(self) -> None:
        """Wait for whoever has the turn, then be an ordinary database again: nobody is left on the connection."""
        async with self._turn:
            object.__setattr__(self, "__class__", Database)

    @asynccontextmanager
    async def reading(
        self, principal: Principal, *, grant: Grant | None = None, planned: bool = False
    ) -> AsyncIterator[Session]:
        """As in `Database`, on the shared connection: takes its turn, and inside a unit sees what that unit did."""
        async with self._taking_turns("reading") as shared:
            if shared is None:
                async with self.reading(principal, grant=grant, planned=planned) as session:
                    yield session
                return
            session = bind_session(shared, self.scopes, principal, unit=None, grant=grant)
            session.scope.read_only = True
            session.parts = self.parts
            try:
                yield session
            finally:
                session.expunge_all()

    @asynccontextmanager
    async def snapshot(self, principal: Principal) -> AsyncIterator[Session]:
        """As `reading`. Another task may end it than began it, so that the turn is not told by the context."""
        async with self._turn:
            session = bind_session(self._shared, self.scopes, principal, unit=None, grant=None)
            session.scope.read_only = True
            try:
                yield session
            finally:
                session.expunge_all()

    @asynccontextmanager
    async def writing(
        self,
        principal: Principal,
        *,
        deadline: float | None = None,
        grant: Grant | None = None,
        request_id: str | None = None,
    ) -> AsyncIterator[Unit]:
        """As in `Database`, with a savepoint for the transaction."""
        if _inside.get() == "writing":
            raise RuntimeError("a unit inside a unit would wait for itself on SQLite: use the session at hand")
        async with self._taking_turns("writing", deadline) as shared:
            if shared is None:
                asked = self.writing(principal, deadline=deadline, grant=grant, request_id=request_id)
                async with asked as unit:
                    yield unit
                return
            savepoint = await shared.begin_nested()
            unit = Unit(shared, savepoint, self.scopes, principal, grant=grant, request_id=request_id, parts=self.parts)
            try:
                yield unit
                await unit.commit()
            except BaseException:
                await unit.roll_back()
                raise
            finally:
                unit.session.expunge_all()

    async def ping(self) -> None:
        """One statement on the shared connection: another would wait for it on SQLite."""
        async with self._taking_turns("reading") as shared:
            await (shared.execute(text("SELECT 1")) if shared is not None else self.ping())

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Undo what happens inside the block, at its end. Blocks nest; none may begin inside a unit."""
        async with self._taking_turns("reading"):
            savepoint = await self._shared.begin_nested()
        try:
            yield
        finally:
            async with self._taking_turns("reading"):
                await savepoint.rollback()
                await self.parts[Watchers].has_been_replaced()

    @asynccontextmanager
    async def _taking_turns(self, what: str, deadline: float | None = None) -> AsyncIterator[AsyncConnection | None]:
        """The shared connection once it is free; None where the sharing ended meanwhile."""
        if _inside.get():
            yield self._shared
            return
        turn, shared = self._turn, self._shared
        async with asyncio.timeout(None if deadline is None else max(0.0, deadline - time.monotonic())):
            await turn.acquire()
        if self._shared is not shared or not isinstance(self, IsolatedDatabase):
            turn.release()
            yield None
            return
        token = _inside.set(what)
        try:
            yield shared
        finally:
            _inside.reset(token)
            turn.release()


@asynccontextmanager
async def isolated(database: Database) -> AsyncIterator[IsolatedDatabase]:
    """Put a started database inside one transaction for the length of the block, for everyone who holds it.

    The object itself changes its class, since jobs, identity and the routes have it already.
    """
    async with database.engine.connect() as connection:
        outer = await connection.begin()
        object.__setattr__(database, "__class__", IsolatedDatabase)
        assert isinstance(database, IsolatedDatabase)
        database.share(connection)
        try:
            yield database
        finally:
            await database.stop_sharing()
            await outer.rollback()
            await database.parts[Watchers].has_been_replaced()

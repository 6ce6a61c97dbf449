"""The database of an application: units of work to write, sessions to read, both scoped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from freehold.cancellation import noting_done
from freehold.errors import ConfigurationError, Unavailable
from freehold.resource.principal import Principal
from freehold.store import postgresql, sqlite
from freehold.store.at_once import Triggered, triggered
from freehold.store.caller import SqliteTeller
from freehold.store.compiler import Scopes
from freehold.store.faults import is_retryable
from freehold.store.functions import register_sqlite
from freehold.store.idempotency import Claim, KeyLocks
from freehold.store.network_drive import warn_of_network_drive
from freehold.store.planned_reads import PlannedReads
from freehold.store.postgresql import Patience
from freehold.store.protection import Grant, Registry
from freehold.store.session import Session, bind_session
from freehold.store.touched import Watchers
from freehold.store.unit import Unit
from freehold.store.waking import Waking
from freehold.store.wall_sqlite import SqliteWall

T = TypeVar("T")

ATTEMPTS = 4  # of a unit that met a deadlock or a serialization failure; past it 503


class Database(PlannedReads):
    """Engines over one database, and the registry of its protected tables.

    SQLite: one writer at a time (first come, first served, over processes too), a few readers. PostgreSQL: a pool.
    Open it with `open`, then `start`; `close` gives everything back, and it may be started again. parts: what domain functions may ask their
    session for by its type (`session.part(Mailer)`), such as the clients of outside systems.
    """

    def __init__(
        self,
        url: URL,
        engine: AsyncEngine,
        readers: AsyncEngine,
        *,
        registry: Registry,
        session_class: type[Session] = Session,
        patience: Patience | None = None,
    ) -> None:
        self.url = url
        self.engine = engine
        self.registry = registry
        self.parts: dict[type[Any], Any] = {Watchers: Watchers(), Waking: Waking()}
        self._readers = readers
        self._writer: sqlite.WriterLock | None = None
        self._keys: KeyLocks | None = None
        self._session_class = session_class
        self._scopes: Scopes | None = None
        self._is_behind_wall = False
        self.planned_reads(readers, patience or Patience())
        self._wall = SqliteWall(engine) if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        pool_size: int = 10,
        patience: Patience | None = None,
        reader_url: str = "",
        registry: Registry | None = None,
        session_class: type[Session] = Session,
    ) -> Database:
        """Prepare the engines; nothing connects yet. url: `sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`.

        reader_url: of the role that row-level security lets through, for statements that carry the rule in their text.
        Raises ConfigurationError for another database or an in-memory SQLite.
        """
        parsed = make_url(url)
        registry = registry or Registry()
        if parsed.get_backend_name() == "sqlite":
            return cls._open_sqlite(parsed, pool_size, registry, session_class)
        if parsed.get_backend_name() == "postgresql":
            return cls._open_postgresql(parsed, pool_size, patience or Patience(), reader_url, registry)
        raise ConfigurationError(
            f"FREEHOLD_DATABASE_URL names {parsed.get_backend_name()!r}: use sqlite+aiosqlite:///… or postgresql+asyncpg://…"
        )

    @classmethod
    def adopt(cls, engine: AsyncEngine, *, session_class: type[Session] = Session) -> Database:
        """Use an engine that is there. On SQLite its file is opened anew, with one writer and readers beside it."""
        if engine.dialect.name == "sqlite":
            return cls.open(engine.url.render_as_string(hide_password=False), session_class=session_class)
        readers = engine.execution_options(isolation_level="AUTOCOMMIT")
        return cls(engine.url, engine, readers, registry=Registry(), session_class=session_class)

    @classmethod
    def _open_sqlite(cls, url: URL, pool_size: int, registry: Registry, session_class: type[Session]) -> Database:
        if not url.database or url.database == ":memory:":
            raise ConfigurationError("SQLite in memory cannot be shared by readers and the writer: name a file")
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = sqlite.writer_engine(url, register_sqlite)
        readers = sqlite.reader_engine(url, register_sqlite, size=max(2, pool_size // 2))
        return cls(url, writer, readers, registry=registry, session_class=session_class)

    @classmethod
    def _open_postgresql(
        cls, url: URL, pool_size: int, patience: Patience, reader_url: str, registry: Registry
    ) -> Database:
        engine = postgresql.engine(url, pool_size=pool_size, patience=patience)
        readers = engine
        if reader_url:
            readers = postgresql.engine(make_url(reader_url), pool_size=pool_size, patience=patience)
        readers = readers.execution_options(isolation_level="AUTOCOMMIT")
        return cls(url, engine, readers, registry=registry, patience=patience)

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.sync_engine.dialect.name

    @property
    def scopes(self) -> Scopes:
        """The dialects that write rules. There once `start` has run."""
        assert self._scopes is not None, "await database.start() first"
        return self._scopes

    async def start(self) -> None:
        """Connect once, and teach the dialects to write rules. Raises Unavailable when there is no database."""
        if self.dialect_name == "sqlite" and self._writer is None:
            path = Path(self.url.database or "")
            warn_of_network_drive(path)
            self._writer = sqlite.WriterLock(path.with_name(path.name + ".lock"))
            self._keys = KeyLocks(path.with_name(path.name + ".keys"))
        if self._scopes is not None:  # started again
            self.open_read_path(self._has_readers or not self._is_behind_wall)
            return
        # The first connect completes a dialect (server version, codecs); copies made before would lack it.
        await self.ping()
        teller = (
            SqliteTeller() if self.dialect_name == "sqlite" else await postgresql.teller(self.engine, self._tables())
        )
        self._is_behind_wall = self.dialect_name == "postgresql" and teller is not None
        self._scopes = Scopes(self.engine.sync_engine.dialect, self.registry, teller)
        self._read_scopes = self._scopes
        if self._has_readers:
            self._read_scopes = Scopes(self._readers.sync_engine.dialect, self.registry)
        self.open_read_path(self._has_readers or not self._is_behind_wall)

    @property
    def is_behind_wall(self) -> bool:
        """Does row-level security apply to the log-in that serves?"""
        return self._is_behind_wall

    def _tables(self) -> list[str]:
        return [each.table.name for each in self.registry.tables.values()]

    @property
    def _has_readers(self) -> bool:
        """Are readers logged in by themselves?"""
        return self._readers.sync_engine.dialect is not self.engine.sync_engine.dialect

    async def put_up_wall(self) -> None:
        """Once the tables are there: judge every written row once more, below the compiler.

        On SQLite only. On PostgreSQL that is row-level security, which `freehold migrate up` puts up and whose owner
        is not who serves; there the triggers are looked up that a write at once could not show the work of.
        """
        async with self.engine.connect() as connection:
            if self._wall is None:
                self.parts[Triggered] = await triggered(connection)
                return
            there = await connection.run_sync(lambda each: inspect(each).get_table_names())
        self._wall.arm(self.registry, there)
        await self.engine.dispose()  # the next connection has it

    async def ping(self) -> None:
        """One statement on each pool. Raises Unavailable."""
        try:
            for engine in {id(e.pool): e for e in (self.engine, self._readers)}.values():
                async with engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError, PoolTimeout, TimeoutError) as error:
            raise Unavailable("The database cannot be reached.") from error

    async def close(self) -> None:
        """Give back every connection."""
        await self.close_read_path()
        await self._readers.dispose()
        await self.engine.dispose()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._keys is not None:
            self._keys.close()
            self._keys = None

    def holding(self, claim: Claim) -> AbstractContextManager[None]:
        """Hold an idempotency key from before the unit to after it. Raises KeyInFlight at once.

        PostgreSQL holds it inside the transaction instead (`idempotency.find`), and this does nothing.
        """
        return nullcontext() if self._keys is None else self._keys.held(claim)

    @asynccontextmanager
    async def reading(
        self, principal: Principal, *, grant: Grant | None = None, planned: bool = False
    ) -> AsyncIterator[Session]:
        """A session that cannot write: each statement sees the newest commit, under the caller's read rules.

        grant: a rule that stands in for one of them. planned: all its statements are the library's own, with the rule in
        their text; they may run as the role that row-level security lets through.
        """
        by_readers = self.is_read_by_readers(principal, planned=planned)
        async with (
            self._connection(self._readers if by_readers else self.engine) as connection,
            self.read_session(connection, principal, grant=grant, by_readers=by_readers) as session,
        ):
            yield session

    def is_read_by_readers(self, principal: Principal, *, planned: bool) -> bool:
        """Whether row-level security need not look at a read. Otherwise it has to be told who acts, in a transaction."""
        passes = planned or principal.is_system
        return not self._is_behind_wall or (passes and self._has_readers)

    @asynccontextmanager
    async def read_session(
        self, connection: AsyncConnection, principal: Principal, *, grant: Grant | None, by_readers: bool
    ) -> AsyncIterator[Session]:
        """The session of `reading` on a connection that is there, of this server or of a replica."""
        scopes = self._read_scopes if by_readers else self._scopes
        assert scopes is not None, "await database.start() first"
        async with AsyncExitStack() as stack:
            if not by_readers:
                transaction = await connection.begin()
                stack.push_async_callback(transaction.rollback)
            session = bind_session(connection, scopes, principal, unit=None, grant=grant, kind=self._session_class)
            session.scope.read_only = True
            session.parts = self.parts
            stack.callback(session.expunge_all)
            yield session

    @asynccontextmanager
    async def snapshot(self, principal: Principal) -> AsyncIterator[Session]:
        """A session that cannot write and sees one moment, however many statements it runs: for exports.

        It holds a connection, and on PostgreSQL old row versions, until it is left. There is no transaction afterwards,
        also where the block is cancelled.
        """
        by_readers = self._has_readers or not self._is_behind_wall
        engine, scopes = (self._readers, self._read_scopes) if by_readers else (self.engine, self._scopes)
        assert scopes is not None, "await database.start() first"
        async with self._connection(engine) as connection:
            if self.dialect_name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                if self.dialect_name == "sqlite":
                    await connection.exec_driver_sql("BEGIN")  # the driver opens none of its own
                session = bind_session(connection, scopes, principal, unit=None, grant=None, kind=self._session_class)
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
        """One unit of work. Commits on a clean exit, before anything after the block runs; rolls back otherwise.

        deadline: on the monotonic clock; waiting for the right to write past it is 503. On SQLite the block is the
        only writer, so keep outside calls out of it.
        """
        unit: Unit | None = None
        async with AsyncExitStack() as stack:
            stack.enter_context(noting_done(lambda: unit is not None and unit.is_committed))
            if self._writer is not None:
                await stack.enter_async_context(self._writer.held(deadline or time.monotonic() + 30))
            connection = await stack.enter_async_context(self._connection(self.engine))
            transaction = await connection.begin()
            unit = Unit(
                connection,
                transaction,
                self.scopes,
                principal,
                grant=grant,
                request_id=request_id,
                parts=self.parts,
                session_class=self._session_class,
            )
            async with unit.whole():
                yield unit

    async def run(
        self,
        principal: Principal,
        work: Callable[[Unit], Awaitable[T]],
        *,
        deadline: float | None = None,
        grant: Grant | None = None,
        request_id: str | None = None,
    ) -> T:
        """Run `work` in a unit; a deadlock or serialization failure runs all of it again, a few times.

        Raises Unavailable when every attempt met one (X09).
        """
        for attempt in range(ATTEMPTS):
            try:
                async with self.writing(principal, deadline=deadline, grant=grant, request_id=request_id) as unit:
                    return await work(unit)
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
                await asyncio.sleep(0.005 * 2**attempt)
        raise Unavailable("Too many writers met on the same rows.")

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            connection = await engine.connect()
        except (PoolTimeout, TimeoutError) as error:
            raise Unavailable("All database connections are in use.") from error
        except OSError as error:
            raise Unavailable("The database cannot be reached.") from error
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())

"""SQLite as a production store for one process: WAL, synchronous FULL, one writer at a time, readers beside it.

Writers of several processes queue in the kernel on a lock file, which is fair; SQLite's own busy wait is not
(docs/decisions). Others who write without it stay safe and are only served unfairly.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from freehold.errors import Unavailable
from freehold.store import sqlite_driver

BUSY_TIMEOUT_MS = 5_000
BUSY_PIECE_MS = 100


class WriterLock:
    """First come, first served within the process, then among processes. Waiting ends at the deadline with 503."""

    def __init__(self, path: Path) -> None:
        self._inside = asyncio.Lock()
        self._closed = False
        # Kept open for life: closing any descriptor of the file would drop every lock this process has on it.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @asynccontextmanager
    async def held(self, deadline: float | None) -> AsyncIterator[None]:
        """Hold the right to write. deadline: on the monotonic clock."""
        await self._enter(deadline)
        await self._lock_file(deadline)
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        if not self._closed:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
        self._inside.release()

    async def _enter(self, deadline: float | None) -> None:
        try:
            async with asyncio.timeout(_remaining(deadline)):
                await self._inside.acquire()
        except TimeoutError:
            raise Unavailable("The database is busy.") from None

    async def _lock_file(self, deadline: float | None) -> None:
        if self._try():
            return
        try:
            waiting = self._queue_for_file()
        except RuntimeError:
            self._inside.release()
            raise Unavailable("No thread is left to wait for the database.") from None
        try:
            async with asyncio.timeout(_remaining(deadline)):
                await asyncio.shield(waiting)
        except BaseException as gone:
            # The kernel's queue cannot be left. Whoever waited goes now; the turn is given back as soon as it comes,
            # and until then nobody else of this process gets in.
            waiting.add_done_callback(self._give_back)
            if isinstance(gone, TimeoutError):
                raise Unavailable("The database is busy.") from None
            raise

    def _give_back(self, waited: asyncio.Future[None]) -> None:
        waited.exception()  # it was nobody's any more
        self._leave()

    def _queue_for_file(self) -> asyncio.Future[None]:
        """Wait in the kernel, on a thread that keeps neither other work nor the end of the process waiting."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()

        def settle(error: OSError | None) -> None:
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(None)

        def wait() -> None:
            failed: OSError | None = None
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
            except OSError as error:
                failed = error
            with suppress(RuntimeError):  # the loop is closed: the process ends, and its locks with it
                loop.call_soon_threadsafe(settle, failed)

        threading.Thread(target=wait, name="freehold-writer-lock", daemon=True).start()
        return waiting

    def _try(self) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the lock file."""
        self._closed = True
        os.close(self._descriptor)


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def writer_engine(url: URL, register: Callable[[Any], None]) -> AsyncEngine:
    """One connection, whose transactions begin as writers (a reader that turns writer may fail as busy)."""
    engine = _engine(url, register, size=1, readonly=False)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


_BEGIN = "BEGIN IMMEDIATE"


def _begin(connection: Connection) -> None:
    """Begin as a writer. SQLite's own wait for a stranger cannot be cancelled, so it is taken in small pieces."""
    ends = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while time.monotonic() < ends:
        error = _tried(connection.connection)
        if error is None:
            return
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            break
    connection.exec_driver_sql(_BEGIN)  # once more, for an error that is the engine's own


def _tried(driver: Any) -> sqlite3.OperationalError | None:
    """Begin; why not, if not.

    Not through the engine: after an error it rolls back, and that closes the cursor of the statement that is waiting for
    this beginning.
    """
    cursor = driver.cursor()
    try:
        cursor.execute(_BEGIN)
    except sqlite3.OperationalError as error:
        return error
    finally:
        cursor.close()
    return None


def _interrupt(connection: Any, *_: object) -> None:
    # Cancelling only stops the waiting: the statement would run on in the driver's thread, and the close after it.
    with suppress(sqlite3.Error, ValueError):  # a connection that is closing already; the cancellation must go on
        connection.run_async(lambda driver: driver.interrupt())


def _roll_back(connection: Any, *_: object) -> None:
    # A statement that was cancelled drops its connection: its transaction ends now, not when the connection is found.
    with suppress(sqlite3.Error, ValueError):
        connection.rollback()


def reader_engine(url: URL, register: Callable[[Any], None], *, size: int) -> AsyncEngine:
    """Connections that cannot write. Each statement sees the newest commit."""
    return _engine(url, register, size=size, readonly=True)


def _engine(url: URL, register: Callable[[Any], None], *, size: int, readonly: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"async_creator_fn": sqlite_driver.connect},
    )
    event.listen(engine.sync_engine, "connect", lambda connection, _: _prepare(connection, register, readonly=readonly))
    event.listen(engine.sync_engine, "invalidate", _interrupt)
    event.listen(engine.sync_engine, "invalidate", _roll_back)
    return engine


def _prepare(connection: Any, register: Callable[[Any], None], *, readonly: bool) -> None:
    connection.isolation_level = None  # the driver opens no transaction of its own
    register(connection)
    cursor = connection.cursor()
    patience = BUSY_TIMEOUT_MS if readonly else BUSY_PIECE_MS
    for pragma in (f"busy_timeout={patience}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    if readonly:
        cursor.execute("PRAGMA query_only=ON")
    cursor.close()

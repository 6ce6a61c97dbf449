"""One of many starters migrates; the others wait for it and find nothing left to do."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# A number that nothing else in a database takes: the first 63 bits of SHA-256 of "freehold.migrate".
MIGRATING = 2829700626049442146
_POLL_SECONDS = 0.1


@asynccontextmanager
async def only_one(url: URL, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the right to migrate this database. Waits as long as another process migrates, and says so once."""
    holder = _file(url) if url.get_backend_name() == "sqlite" else _advisory(url)
    async with holder as try_lock:
        waited = False
        while not await try_lock():
            if not waited:
                say("another process is migrating this database: waiting for it")
            waited = True
            await asyncio.sleep(_POLL_SECONDS)
        yield


@asynccontextmanager
async def _file(url: URL) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    # flock, not lockf: it belongs to the open file, so that two starters of one process exclude each other too.
    descriptor = os.open(f"{url.database}.migrate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def try_lock() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    try:
        yield try_lock
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _advisory(url: URL) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    # A connection of its own, without a transaction: one that is open would hold up CREATE INDEX CONCURRENTLY.
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    async with engine.connect() as connection:

        async def try_lock() -> bool:
            return bool(await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATING}))

        try:
            yield try_lock
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock_all()"))
    await engine.dispose()

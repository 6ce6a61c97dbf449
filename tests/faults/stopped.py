"""Somebody else at work in the database, so that a request stands still where a test wants it."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import make_url


@contextmanager
def writers_turn(path: str) -> Iterator[Callable[[], None]]:
    """The lock file by which services on one SQLite file take turns; what is given back waits for the turn."""
    with Path(path + ".lock").open("r+b") as turn:  # closing the file gives the turn back
        yield lambda: fcntl.lockf(turn, fcntl.LOCK_EX)


@asynccontextmanager
async def writers_stopped(url: str) -> AsyncIterator[None]:
    """No house can be written for the length of the block; a request that wants to waits, inside its transaction.

    SQLite: as another Freehold service on the file holds it, lock file and all. PostgreSQL: as a migration does.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        with writers_turn(parsed.database) as taken, closing(sqlite3.connect(parsed.database)) as other:
            await asyncio.to_thread(taken)
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()
        return
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE properties IN EXCLUSIVE MODE")
            yield
    finally:
        await other.close()


@asynccontextmanager
async def stranger_writes(path: str) -> AsyncIterator[None]:
    """A program that knows nothing of the lock file (a shell, a backup) holds SQLite's own write lock."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()

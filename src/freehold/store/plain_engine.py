"""An engine without scopes or pool, for work on the schema and on whole tables: migrations, copies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from freehold.store.functions import register_sqlite


@asynccontextmanager
async def plain_engine(url: URL) -> AsyncIterator[AsyncEngine]:
    """On SQLite its transactions are real, also around DDL, and hold the right to write from their beginning.

    On PostgreSQL a statement from which a policy would keep rows back fails: whole tables are whole, or not read.
    """
    settings = {"server_settings": {"row_security": "off"}} if url.drivername == "postgresql+asyncpg" else {}
    engine = create_async_engine(url, poolclass=NullPool, connect_args=settings)
    if url.get_backend_name() == "sqlite":
        _prepare(engine)
    try:
        yield engine
    finally:
        await engine.dispose()


def _prepare(engine: AsyncEngine) -> None:
    """Real transactions, also around DDL; foreign keys stay off, or a copied table would take its children along."""

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None
        register_sqlite(connection)
        connection.execute("PRAGMA journal_mode=WAL").close()
        connection.execute("PRAGMA busy_timeout=5000").close()

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

"""A session on tables of a test's own, without a service around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import MetaData, event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from freehold.store.functions import register_sqlite


@asynccontextmanager
async def session_on(url: str, metadata: MetaData) -> AsyncIterator[AsyncSession]:
    """Create the tables and open a session. Freehold's functions are registered on SQLite."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", lambda connection, _: register_sqlite(connection))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session
    finally:
        await engine.dispose()

"""Where tests keep their rows: one database for each pytest process, gone at its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

SERVER = "FREEHOLD_TEST_POSTGRES"
"""Names a PostgreSQL server whose role may create databases; without it tests run on SQLite."""


@contextmanager
def worker_database(folder: Path) -> Iterator[str]:
    """A new database, as a URL: a file in `folder`, or one on the server that FREEHOLD_TEST_POSTGRES names."""
    server = os.environ.get(SERVER)
    if not server:
        yield f"sqlite+aiosqlite:///{folder}/test.db"
        return
    name = f"freehold_{uuid4().hex}"
    asyncio.run(_on_server(server, f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _on_server(server: str, statement: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()

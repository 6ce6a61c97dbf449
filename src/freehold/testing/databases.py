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
    with server_database(server) as url:
        yield url


@contextmanager
def server_database(server: str) -> Iterator[str]:
    """A new database on a PostgreSQL server, as a URL, dropped at the end. Raises OSError where there is no server.

    Its commits do not wait for the disk: tests kill processes of the service, not the server's machine.
    """
    name = f"freehold_{uuid4().hex}"
    asyncio.run(_on_server(server, f"CREATE DATABASE {name}", f"ALTER DATABASE {name} SET synchronous_commit = off"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _on_server(server: str, *statements: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()

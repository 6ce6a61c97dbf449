"""Fixtures that every test of the toolkit may use."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import typer.main

from freehold.observe import logs
from freehold.remote import RedisServer
from freehold.testing.databases import server_database
from tests.redis_server import OwnRedis, own_redis

POSTGRES = os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")

# A process makes its commands once, which takes a tenth of a second; this one runs hundreds of them.
typer.main.get_command = functools.cache(typer.main.get_command)


def _raw(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(_raw(url), timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _require_postgres() -> None:
    try:
        asyncio.run(_execute(POSTGRES, "SELECT 1"))
    except (OSError, asyncpg.PostgresError) as error:
        message = f"PostgreSQL is not reachable at {POSTGRES}: {error!r}; start it with `make services`"
        if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """An application that a test starts sets up the logs of the process: not for the tests after it."""
    yield
    logs.reset()


EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""


@contextmanager
def postgres_database() -> Iterator[str]:
    _require_postgres()
    with server_database(POSTGRES) as url:
        yield url


@pytest.fixture(scope="session")
def _worker_database() -> Iterator[str]:
    """One PostgreSQL database for this process: emptying it costs a tenth of making another."""
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def house_database() -> Iterator[str]:
    """A PostgreSQL database that one application keeps for all tests of this process."""
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def _module_postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A fresh database of each kind in turn, for an application that serves all tests of a module."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('module')}/test.db"
    url: str = request.getfixturevalue("_module_postgres")
    asyncio.run(_execute(url, EMPTY))
    return url


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    """A Redis for this process. Whoever stops or empties it sees to it that it is as before."""
    with own_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def redis(redis_server: OwnRedis) -> AsyncIterator[RedisServer]:
    """A client of that Redis with keys of its own."""
    client = RedisServer(redis_server.url, prefix=f"t:{uuid4().hex}")
    await client.open()
    yield client
    await client.close()


@pytest.fixture
def postgres_url(_worker_database: str) -> str:
    """An empty PostgreSQL database."""
    asyncio.run(_execute(_worker_database, EMPTY))
    return _worker_database


@pytest.fixture(scope="session")
def _other_database() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def other_postgres_url(_other_database: str) -> str:
    """A second empty PostgreSQL database, for what moves from one into another.

    Kept for all tests: dropping one writes out what every database of the server has changed, which takes many seconds on
    a busy disk and counts against the time of a test.
    """
    asyncio.run(_execute(_other_database, EMPTY))
    return _other_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/test.db"
    url: str = request.getfixturevalue("postgres_url")
    return url

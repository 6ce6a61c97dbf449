"""Imba on stage: both databases, and the people of the tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from freehold import system
from freehold.resource import clock
from freehold.settings import Settings
from freehold.testing import Clock, House, Stage, opened
from freehold.testing.databases import server_database

from ..reservations.jobs import expire_holds
from ..service import build
from ..settings import ImbaSettings
from ..users.models import Account, User
from .world import Person

POSTGRES = os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")


EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""


async def _execute(*statements: str, url: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


@contextmanager
def postgres() -> Iterator[str]:
    """A new, empty PostgreSQL database for the length of the block."""
    try:
        with server_database(POSTGRES) as url:
            yield url
    except OSError as error:
        message = f"PostgreSQL is not reachable at {POSTGRES}: {error!r}; start it with `make services`"
        if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def _own_postgres() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind for one test alone: for the history of the schema."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/imba.db"
    url: str = request.getfixturevalue("_own_postgres")
    asyncio.run(_execute(*EMPTY.strip().splitlines(), url=url))
    return url


def core(url: str, var_dir: Path) -> Settings:
    """Freehold's settings for a test."""
    return Settings(env="test", database_url=url, var_dir=var_dir, limits="off", secret="s" * 40, log_level="warning")


@asynccontextmanager
async def _house(url: str, folder: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        with Clock():  # what is written at the start is as old as the tests' own clock says
            app = build(core=core(url, folder), own=ImbaSettings(), migrations=None)
            found = await stack.enter_async_context(opened(app))
        yield found


@pytest.fixture(scope="session")
async def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("imba")
    async with _house(f"sqlite+aiosqlite:///{folder}/imba.db", tmp_path_factory.mktemp("var")) as found:
        yield found


@pytest.fixture(scope="session")
def _house_postgres() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
async def postgresql_house(_house_postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with _house(_house_postgres, tmp_path_factory.mktemp("var")) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> House:
    """Imba, running for all tests of this process, on a database of each kind."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
async def stage(house: House, clock: Clock) -> AsyncIterator[Stage]:
    """Imba for one test; nothing that it does remains."""
    async with house.stage() as found:
        yield found


@pytest.fixture
async def real_stage(house: House, clock: Clock) -> AsyncIterator[Stage]:
    """Imba for one test: what commits, commits, and writers really meet; put back at the end."""
    async with house.stage(isolate=False) as found:
        yield found


async def person(stage: Stage, account: Account | None, *roles: str) -> Person:
    """Somebody with an account, signed in. Not registered over HTTP, to spare the hashing of a password."""
    number = uuid4().hex[:8]
    user = User(full_name=f"Person {number}", account=account, roles=[*roles])
    user.set_email(f"person-{number}@imba.example")
    async with stage.database.writing(system("a person of the tests")) as unit:
        unit.session.add(user)
        await unit.session.flush()
        user_id = user.id
    client = stage.as_user(id=user_id, roles=roles, authenticated_at=clock.now())
    return Person(client, id=str(user_id), email=user.email)


@pytest.fixture
async def anonymous(stage: Stage) -> Person:
    return Person(stage.client())


@pytest.fixture
async def tenant(stage: Stage) -> Person:
    return await person(stage, "tenant", "tenant")


@pytest.fixture
async def other_tenant(stage: Stage) -> Person:
    return await person(stage, "tenant", "tenant")


@pytest.fixture
async def landlord(stage: Stage) -> Person:
    return await person(stage, "landlord", "landlord")


@pytest.fixture
async def other_landlord(stage: Stage) -> Person:
    return await person(stage, "landlord", "landlord")


@pytest.fixture
async def renting_landlord(stage: Stage) -> Person:
    """A landlord who also rents."""
    return await person(stage, "landlord", "landlord", "tenant")


@pytest.fixture
async def reviewing_landlord(stage: Stage) -> Person:
    """A landlord who also reviews."""
    return await person(stage, "landlord", "landlord", "reviewer")


@pytest.fixture
async def reviewer(stage: Stage) -> Person:
    return await person(stage, None, "reviewer")


@pytest.fixture
async def admin(stage: Stage) -> Person:
    return await person(stage, None, "admin")


@pytest.fixture
def require_verified_email(stage: Stage) -> None:
    """As in production: reserving and publishing need a verified e-mail."""
    stage.database.parts[ImbaSettings] = ImbaSettings(require_verified_email=True)


@pytest.fixture
def require_factor(stage: Stage) -> None:
    """As in production: publishing needs a second factor."""
    stage.database.parts[ImbaSettings] = ImbaSettings(require_factor=True)


@pytest.fixture
def sweep(stage: Stage) -> Callable[[], Awaitable[None]]:
    """Run the job that writes lapsed holds down."""

    async def run() -> None:
        async with stage.database.writing(system("sweep")) as unit:
            await expire_holds(unit.session)

    return run


@pytest.fixture
def trail(stage: Stage) -> Callable[[str, str], Awaitable[list[Any]]]:
    """The audit records of a subject, in order."""

    async def read(subject_type: str, subject_id: str) -> list[Any]:
        from sqlalchemy import select

        from freehold.store import AUDIT

        asked = select(AUDIT).where(AUDIT.c.subject_type == subject_type, AUDIT.c.subject_id == subject_id)
        async with stage.database.reading(system("read the trail")) as session:
            return list((await session.execute(asked.order_by(AUDIT.c.id))).all())

    return read


@pytest.fixture
def mails(stage: Stage) -> Callable[[str], Awaitable[list[dict[str, str]]]]:
    """The mails that are owed to an address, in order."""

    async def read(address: str) -> list[dict[str, str]]:
        from sqlalchemy import select

        from freehold.jobs import JOBS

        asked = select(JOBS.c.payload).where(JOBS.c.name == "freehold.mail.send").order_by(JOBS.c.id)
        async with stage.database.reading(system("read the mails")) as session:
            found = [row.payload for row in (await session.execute(asked)).all()]
        return [mail for mail in found if mail["to"] == address]

    return read

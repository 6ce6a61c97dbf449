"""Library on stage: one application for all tests of a process, and the people of the tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from freehold import system
from freehold.settings import Settings
from freehold.testing import Clock, House, Person, Stage, opened
from freehold.testing.databases import server_database

from ..patrons import cards
from ..patrons.models import Patron
from ..service import build
from ..settings import LibrarySettings
from ..users.models import User

POSTGRES = os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    try:
        with server_database(POSTGRES) as url:
            yield url
    except OSError as error:
        message = f"PostgreSQL is not reachable at {POSTGRES}: {error!r}; start it with `make services`"
        if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)


def core(url: str, var_dir: Path) -> Settings:
    return Settings(env="test", database_url=url, var_dir=var_dir, limits="off", secret="s" * 40, log_level="warning")


@asynccontextmanager
async def _house(url: str, folder: Path) -> AsyncIterator[House]:
    with Clock():  # what is written at the start is as old as the tests' own clock says
        app = build(core=core(url, folder), own=LibrarySettings(), migrations=None)
        context = opened(app)
        found = await context.__aenter__()
    try:
        yield found
    finally:
        await context.__aexit__(None, None, None)


@pytest.fixture(scope="session")
async def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("library")
    async with _house(f"sqlite+aiosqlite:///{folder}/library.db", folder) as found:
        yield found


@pytest.fixture(scope="session")
async def postgresql_house(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with _house(postgres_url, tmp_path_factory.mktemp("library")) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def both_houses(request: pytest.FixtureRequest) -> House:
    """Library on a database of each kind: for what the two do differently, which is to let several in at once."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    return found


@pytest.fixture
async def stage(sqlite_house: House, clock: Clock) -> AsyncIterator[Stage]:
    """Library for one test; nothing that it does remains."""
    async with sqlite_house.stage() as found:
        yield found


@pytest.fixture
async def real_stage(both_houses: House, clock: Clock) -> AsyncIterator[Stage]:
    """Library for one test: what commits, commits, and writers really meet; put back at the end."""
    async with both_houses.stage(isolate=False) as found:
        yield found


async def person(stage: Stage, *roles: str, name: str = "", category: str = "adult") -> Person:
    """Somebody with an account and a card, signed in. Not registered over HTTP, to spare the hashing of a password."""
    number = uuid4().hex[:8]
    user = User(full_name=name or f"Person {number}", roles=[*roles])
    user.set_email(f"person-{number}@library.example")
    async with stage.database.writing(system("a person of the tests")) as unit:
        unit.session.add(user)
        await unit.session.flush()
        expires_on = clock_day(3650)
        unit.session.add(Patron(id=user.id, card_number=cards.new(), category=category, expires_on=expires_on))
        user_id = user.id
    return Person(stage.as_user(id=user_id, roles=roles), id=str(user_id), email=user.email)


def clock_day(offset: int):
    from datetime import timedelta

    from freehold.fields import now

    return now().date() + timedelta(days=offset)


@pytest.fixture
async def anonymous(stage: Stage) -> Person:
    return Person(stage.client())


@pytest.fixture
async def ada(stage: Stage) -> Person:
    return await person(stage, "patron", name="Ada Lovelace")


@pytest.fixture
async def ben(stage: Stage) -> Person:
    return await person(stage, "patron", name="Ben Okri")


@pytest.fixture
async def cleo(stage: Stage) -> Person:
    return await person(stage, "patron", name="Cleo Ñandú")


@pytest.fixture
async def librarian(stage: Stage) -> Person:
    return await person(stage, "librarian", name="Mira Sand")

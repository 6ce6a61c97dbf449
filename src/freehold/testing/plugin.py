"""Fixtures for the tests of a service, there as soon as Freehold is installed.

Say where the application is, in `pyproject.toml`::

    [tool.pytest.ini_options]
    freehold_app = "bookstore.app:app"          # or a function without arguments that builds it

Its settings then come from the test environment: `FREEHOLD_ENV=test`, a var folder and a database of this pytest
process alone (one for each xdist worker), on SQLite or on the server that FREEHOLD_TEST_POSTGRES names. Migrations are
applied to it, where the application has some. It starts once; each test that takes `stage`, or a fixture made from it,
runs inside one transaction that is undone, and `real_stage` commits and puts the database back. Asynchronous tests run
on anyio.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from freehold.observe import logs
from freehold.store import migrate
from freehold.store.migrate import Migrations
from freehold.testing import loop
from freehold.testing.blocking import THRESHOLD_MS, unblocked
from freehold.testing.clock import Clock
from freehold.testing.databases import worker_database
from freehold.testing.factories import Factory
from freehold.testing.house import House, opened
from freehold.testing.stage import Stage

_SET = ("FREEHOLD_ENV", "FREEHOLD_VAR_DIR", "FREEHOLD_DATABASE_URL", "FREEHOLD_LIMITS", "FREEHOLD_LOG_LEVEL")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the application."""
    parser.addini("freehold_app", "the Freehold application under test, as module:attribute")


def pytest_configure(config: pytest.Config) -> None:
    """Give the application that is named its own database, before any test module imports it."""
    config.addinivalue_line("markers", "blocking(ms): how long `unblocked_loop` lets the event loop stand still")
    config.pluginmanager.register(loop)  # after anyio's own plugin, whatever order the two were found in
    if not config.getini("freehold_app"):
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    folder = Path(tempfile.mkdtemp(prefix="freehold-test-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.callback(_restore, {name: os.environ.get(name) for name in _SET})
    url = stack.enter_context(worker_database(folder))
    level = os.environ.get("FREEHOLD_LOG_LEVEL", "warning")  # a line for each request would stand between the dots
    os.environ.update(dict(zip(_SET, ("test", str(folder), url, "off", level), strict=True)))


def _lines_of_its_own(item: pytest.Item) -> Iterator[None]:
    """Write the log of a phase before pytest stops capturing: the writer's thread would write it between the dots."""
    yield
    logs.flush()


# Inside of the hooks that capture: `trylast` of a wrapper is next to the test itself.
pytest_runtest_setup = pytest.hookimpl(_lines_of_its_own, wrapper=True, trylast=True)
pytest_runtest_call = pytest.hookimpl(_lines_of_its_own, wrapper=True, trylast=True)
pytest_runtest_teardown = pytest.hookimpl(_lines_of_its_own, wrapper=True, trylast=True)


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def app(pytestconfig: pytest.Config) -> Any:
    """The application that `freehold_app` names. Override it, in the same scope, to build it differently."""
    place: str = pytestconfig.getini("freehold_app")
    if not place:
        pytest.fail('no application under test: set freehold_app = "module:attribute", or write a fixture `app`')
    module, _, attribute = place.partition(":")
    home = importlib.import_module(module)
    found: Any = getattr(home, attribute or "app")
    built = found if hasattr(found, "router") else found()
    if getattr(built, "migrations", None) is not None:
        assert home.__file__ is not None
        asyncio.run(_migrate(built, Path(home.__file__).absolute().parent))
    return built


async def _migrate(app: Any, folder: Path) -> None:
    """Bring the database of this process to the head of the application's history, which is tried so as well."""
    history = Migrations(folder / app.migrations, app.settings.database_url, app.all_metadata)
    await migrate.up(history, say=lambda _: None)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock of this process, standing at `freehold.testing.clock.START` until it is moved."""
    with Clock() as found:
        yield found


@pytest.fixture
async def unblocked_loop(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[None]:
    """Fail a test that blocks the event loop, with the line that does: `@pytest.mark.usefixtures("unblocked_loop")`.

    `@pytest.mark.blocking(ms=250)` allows more than 100 milliseconds.
    """
    mark = request.node.get_closest_marker("blocking")
    async with unblocked(threshold_ms=mark.kwargs["ms"] if mark is not None else THRESHOLD_MS):
        yield


@pytest.fixture(scope="session")
async def house(app: Any, anyio_backend: str) -> AsyncIterator[House]:
    """The application, running for all tests of this process."""
    async with opened(app) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    """The application for one test, inside a transaction that is undone."""
    async with house.stage() as found:
        yield found


@pytest.fixture
async def real_stage(house: House) -> AsyncIterator[Stage]:
    """As `stage`, with real commits and with workers at work: for what two writers at once, or a job, must see."""
    async with house.stage(isolate=False) as found:
        yield found


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[AsyncClient]:
    """A client that nobody has signed in with."""
    async with stage.client() as found:
        yield found


@pytest.fixture
def as_user(stage: Stage) -> Callable[..., AsyncClient]:
    """Makes a client of somebody: `as_user(user)`, `as_user(id=…, roles=["editor"], scopes=…)`."""
    return stage.as_user


@pytest.fixture
def make(stage: Stage) -> Factory:
    """What saves rows past every rule: call it with a model and values, and await it."""
    return stage.make

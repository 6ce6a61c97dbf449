"""Servers that end with their test, and the line of figures that a long form leaves."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.served import Server
from tests.faults.works import TARGET, Works
from tests.jobs.brokers import OwnNats
from tests.jobs.own_rabbit import OwnRabbit

from freehold.store.database import Database


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The light forms start servers: seconds each, and figures that a busy machine spoils. `make proofs-of-services` runs them."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("faults"):
            item.add_marker(pytest.mark.proof)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Make a server; it is not started yet."""
    made: list[Server] = []

    def make(url: str, **options: str) -> Server:
        made.append(Server(url, tmp_path, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnNats | OwnRabbit]:
    """A broker of the test's own, running: NATS, or by its parameter RabbitMQ."""
    found = OwnRabbit(tmp_path) if getattr(request, "param", "nats") == "rabbitmq" else OwnNats()
    found.start()
    yield found
    found.kill()


@pytest.fixture
async def works(
    postgres_url: str, tmp_path: Path, broker: OwnNats | OwnRabbit, serve: Callable[..., Server]
) -> AsyncIterator[Works]:
    """Served, with its tables; no worker yet."""
    options = {"FREEHOLD_JOBS": "apart", "FREEHOLD_BROKER_URL": broker.url}
    server = serve(postgres_url, target=TARGET, **options)
    await server.start()
    database = Database.open(postgres_url)
    await database.start()
    found = Works(server, database, tmp_path, options)
    yield found
    await database.close()
    for each in found.workers:
        each.close()


@pytest.fixture
def figures(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Print one line of figures, whether or not output is captured."""

    def tell(**found: object) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{request.node.name}: " + ", ".join(f"{name} {value}" for name, value in found.items()))

    return tell

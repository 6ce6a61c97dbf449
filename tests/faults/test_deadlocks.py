"""X09: four processes that write the same rows in opposite orders, on PostgreSQL: a client is told 200, 409 or 503, never 500,
and what it was told is what there is."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import func, select
from tests.faults.deadlock_app import Purse, app_of
from tests.faults.served import Server
from tests.faults.wire import Connection, request
from tests.postgres_cluster import Cluster, cluster

from freehold import system

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]
PURSES, CLIENTS, TRANSFERS = 4, 24, 20


@pytest.fixture(params=["read committed", "serializable"])
def server(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with cluster("-c", f"default_transaction_isolation={request.param}", "-c", "deadlock_timeout=20ms") as found:
        yield found


async def met(server: Cluster) -> tuple[int, int]:
    """Transactions that were undone, and deadlocks, as the server counts them."""
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    row = await connection.fetchrow("SELECT sum(xact_rollback), sum(deadlocks) FROM pg_stat_database")
    await connection.close()
    return int(row[0]), int(row[1])


async def test_X09_deadlocks_and_serialization_failures_never_come_out(
    server: Cluster, tmp_path: Path, figures: Callable[..., None]
) -> None:
    app = app_of(server.url, tmp_path)
    async with app.router.lifespan_context(app), app.database.writing(system("purses")) as unit:
        purses = [Purse(name=str(number)) for number in range(PURSES)]
        unit.session.add_all(purses)
        await unit.session.flush()
        keys = [str(purse.id) for purse in purses]
    served = Server(server.url, tmp_path, target="tests.faults.deadlock_app:app", FREEHOLD_WORKERS="4")
    statuses: Counter[int] = Counter()

    async def transfer(client: Connection, chance: random.Random) -> None:
        source, target = chance.sample(keys, 2)
        answer = await client.ask(request("POST", f"/v1/transfers/{source}/{target}"))
        statuses[answer.status] += 1

    async def pay(number: int) -> None:
        client, chance = Connection(served.port), random.Random(number)
        for _ in range(TRANSFERS):
            await transfer(client, chance)
        client.hang_up()

    try:
        await served.start()
        await asyncio.gather(*(pay(number) for number in range(CLIENTS)))
    finally:
        served.close()
    async with app.router.lifespan_context(app), app.database.reading(system("count")) as session:
        total, moves = (await session.execute(select(func.sum(Purse.balance), func.sum(Purse.moves)))).one()
    undone, deadlocks = await met(server)
    figures(undone=undone, deadlocks=deadlocks, **{str(status): number for status, number in statuses.items()})
    assert undone > 0
    assert set(statuses) <= {200, 409, 503}, statuses
    assert statuses[200] > 0
    assert (total, moves) == (0, 2 * statuses[200])

"""What a connection to PostgreSQL holds is free again soon after its client can no longer be reached (I04, X09)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from freehold import system
from freehold.errors import Unavailable
from freehold.resource.principal import ANONYMOUS
from freehold.store import idempotency, schema
from freehold.store.database import Database
from freehold.store.idempotency import Claim, KeyInFlight
from freehold.store.postgresql import Patience
from tests.tcp_proxy import TcpProxy, tcp_proxy
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.services]
WHO = system("a test of patience")
CLAIM = Claim("key", ANONYMOUS, b"f" * 32)


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[TcpProxy]:
    server = make_url(postgres_url)
    async with tcp_proxy(server.host or "127.0.0.1", server.port or 5432) as proxy:
        yield proxy


@pytest.fixture
async def databases(postgres_url: str, line: TcpProxy, tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """One that is reached by a line that can be cut, and one that is not."""
    behind = make_url(postgres_url).set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
    async with AsyncExitStack() as stack:
        found = []
        for url in (behind, postgres_url):
            database = Database.open(url, pool_size=3, patience=Patience(statement_seconds=60))
            stack.push_async_callback(database.close)
            await database.start()
            found.append(database)
        await schema.create_missing(found[1], [])
        yield found[0], found[1]


async def seconds_until_free(database: Database, *, within: float) -> float:
    """Until another process may use the key."""
    began = time.monotonic()
    while True:
        try:
            async with database.writing(WHO) as unit:
                assert await idempotency.find(unit.session, CLAIM) is None
        except KeyInFlight:
            assert time.monotonic() - began < within
            await asyncio.sleep(0.1)
        else:
            return time.monotonic() - began


@pytest.mark.long
async def test_I04_a_key_is_free_soon_after_the_line_of_a_statement_that_runs_was_cut(
    databases: tuple[Database, Database], line: TcpProxy
) -> None:
    behind, direct = databases
    taken = asyncio.Event()

    async def hold() -> None:
        async with behind.writing(WHO) as unit:
            await idempotency.find(unit.session, CLAIM)
            taken.set()
            await (await unit.session.connection()).execute(text("SELECT pg_sleep(60)"))

    holder = asyncio.create_task(hold())
    await taken.wait()
    await asyncio.sleep(0.2)
    with pytest.raises(KeyInFlight):
        async with direct.writing(WHO) as unit:
            await idempotency.find(unit.session, CLAIM)
    await line.cut()
    await seconds_until_free(direct, within=PATIENCE_SECONDS)
    with suppress(Exception):
        await holder


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_I04_a_key_is_free_after_ten_seconds_where_a_line_goes_dead_without_an_end(
    databases: tuple[Database, Database], line: TcpProxy
) -> None:
    behind, direct = databases
    stopped = asyncio.Event()

    async def hold() -> None:
        async with behind.writing(WHO) as unit:
            await idempotency.find(unit.session, CLAIM)
            line.freeze()
            stopped.set()
            await asyncio.sleep(60)

    holder = asyncio.create_task(hold())
    await stopped.wait()
    held = await seconds_until_free(direct, within=2 * PATIENCE_SECONDS)
    assert held > 5, "the line, and not the end of the process, was dead"
    holder.cancel()
    await line.start()
    with suppress(Exception, asyncio.CancelledError, Unavailable):
        await holder

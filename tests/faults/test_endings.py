"""How requests end before their time: by the deadline (V11), by their client (V12), by the server's end (F07)."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from services.imba.properties.models import Property
from sqlalchemy import func, make_url, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from tests.faults.served import Server, people
from tests.faults.stopped import writers_stopped
from tests.faults.wire import Connection, Gone, ask, at_once, crowd, request

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

POOL = 10  # connections that a process has to PostgreSQL


async def houses(url: str, title: str) -> int:
    """How many have this title."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.scalar(select(func.count()).where(Property.title.like(title)))
    await engine.dispose()
    return found or 0


async def transactions(url: str) -> int:
    """On PostgreSQL: how many connections of others are inside a transaction, or run a statement."""
    if make_url(url).get_backend_name() == "sqlite":
        return 0
    engine = create_async_engine(url)
    others = "datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    async with engine.connect() as connection:
        found = await connection.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))
    await engine.dispose()
    return found or 0


async def settled(url: str, *, left: int) -> None:
    """No more than so many transactions, but for those that the server's own jobs begin and end all the time."""
    async with asyncio.timeout(5):
        while await transactions(url) > left:  # noqa: ASYNC110  # it is PostgreSQL that changes
            await asyncio.sleep(0.05)


async def test_V11_past_the_deadline_everything_is_given_back(
    database_url: str, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(database_url, FREEHOLD_DEADLINE_SECONDS="1")
    await server.start()
    world = await people(database_url, tmp_path)
    wanted = [world.draft(f"Late {turn}", key=f"late-{turn}") for turn in range(2 * POOL)]
    with crowd(2 * POOL, server.port) as clients:
        async with writers_stopped(database_url):
            late = await at_once(clients, wanted)
            assert {answer.status for answer in late} == {503}
            assert {answer.code for answer in late} <= {"service.deadline_exceeded", "service.unavailable"}
            assert all("retry-after" in answer.headers for answer in late)
            assert max(answer.seconds for answer in late) < 5  # on a busy machine; it would be 30 without the setting
            # What was cancelled is over on the database's side too; only the stranger's transaction is left.
            await settled(database_url, left=1)
        assert await houses(database_url, "Late %") == 0
        # Each connection is back, each key free, and no lock was left: all of them go through at once.
        again = await at_once(clients, wanted)
        assert [answer.status for answer in again] == [201] * (2 * POOL)
        assert not any("idempotent-replayed" in answer.headers for answer in again)
    assert await houses(database_url, "Late %") == 2 * POOL


async def test_V12_a_client_that_hangs_up_leaves_it_whole_or_undone(
    database_url: str, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(database_url)
    await server.start()
    world = await people(database_url, tmp_path)
    wanted = [world.draft(f"Left {turn}", key=f"left-{turn}") for turn in range(30)]

    async def leave(client: Connection, sent: bytes, after: float) -> None:
        await client.send(sent)
        await asyncio.sleep(after)
        client.hang_up()

    with crowd(30, server.port) as clients:
        # In the middle of a body, right after it, and in the midst of the work.
        halves = [client.send(sent[:-20]) for client, sent in zip(clients[:5], wanted[:5], strict=True)]
        await asyncio.gather(*halves)
        for client in clients[:5]:
            client.hang_up()
        await asyncio.gather(
            *(leave(client, sent, turn / 1000) for turn, (client, sent) in enumerate(zip(clients, wanted, strict=True)))
        )
        async with writers_stopped(database_url):
            await leave(clients[0], world.draft("Left waiting", key="left-waiting"), 0.3)
        repeated = []
        for client, sent in zip(clients, wanted, strict=True):
            repeated.append(await client.ask_until_free(sent))
        assert [answer.status for answer in repeated] == [201] * 30
        assert await houses(database_url, "Left %") == 31
        same = [await client.ask(sent) for client, sent in zip(clients, wanted, strict=True)]
        assert [answer.body for answer in same] == [answer.body for answer in repeated]
        assert {answer.headers["idempotent-replayed"] for answer in same} == {"true"}
    assert await houses(database_url, "Left %") == 31
    await settled(database_url, left=0)


async def test_F07_sigterm_lets_writes_in_flight_end(
    database_url: str, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(database_url)
    await server.start()
    world = await people(database_url, tmp_path)
    with crowd(8, server.port) as clients:
        kept_open = clients[7]
        assert (await kept_open.ask(request("GET", "/health/ready"))).status == 200
        async with writers_stopped(database_url):
            writes = [
                asyncio.create_task(client.ask(world.draft(f"Last {turn}"))) for turn, client in enumerate(clients[:7])
            ]
            await asyncio.sleep(0.5)
            server.signal(signal.SIGTERM)
            # Whether the question comes before or after the server stops listening: it is not ready.
            try:
                assert (await kept_open.ask(request("GET", "/health/ready"))).status == 503
            except Gone:
                assert not await server.is_ready()
            await asyncio.sleep(0.5)
            assert not await server.is_ready()
            assert not any(write.done() for write in writes)
        assert [(await write).status for write in writes] == [201] * 7
    assert await server.ended(10) == 0
    assert await houses(database_url, "Last %") == 7


@pytest.mark.faults
async def test_F07_a_second_sigterm_ends_now_and_leaves_nothing_half_done(
    database_url: str, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    server = serve(database_url)
    await server.start()
    world = await people(database_url, tmp_path)
    sent = world.draft("Cut off", key="cut-off")
    async with writers_stopped(database_url):
        write = asyncio.create_task(ask(server.port, sent))
        await asyncio.sleep(0.5)
        server.signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        server.signal(signal.SIGTERM)
        began = time.monotonic()
        assert await server.ended(5) == -signal.SIGTERM
        assert time.monotonic() - began < 2
        with pytest.raises(Gone):
            await write
    await server.start()
    assert (await ask(server.port, sent)).status == 201
    assert await houses(database_url, "Cut off") == 1

"""I04: one Idempotency-Key fifty times at once: one effect, one answer, and nobody waits to hear that it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from services.imba.properties.models import Property
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine
from tests.faults.served import Server, World, people, rounds
from tests.faults.stopped import writers_stopped
from tests.faults.wire import Answer, ask, at_once, crowd

pytestmark = pytest.mark.anyio

TIMES = 50


async def repeat(servers: list[Server], world: World, number: int) -> list[list[Answer]]:
    """One key per round, fifty times at once, over all servers; then once more. The answers of each round."""
    found = []
    with crowd(TIMES, *(server.port for server in servers)) as clients:
        for round_ in range(number):
            sent = world.draft(f"House {round_}", key=f"key-{round_}")
            answers = await at_once(clients, [sent] * TIMES)
            found.append([*answers, await clients[0].ask(sent)])
    return found


def judge(found: list[list[Answer]]) -> dict[str, object]:
    """Check every round; the figures."""
    firsts = replays = refused = 0
    longest = 0.0
    for answers in found:
        made = [answer for answer in answers if answer.status == 201]
        busy = [answer for answer in answers if answer.status == 409]
        assert len(made) + len(busy) == TIMES + 1, {answer.status for answer in answers}
        assert answers[-1].status == 201, "the key is free again once the first has ended"
        assert len({(answer.body, answer.headers["location"], answer.headers["etag"]) for answer in made}) == 1
        assert {answer.code for answer in busy} <= {"idempotency.in_flight"}
        assert all(answer.headers["retry-after"] == "1" for answer in busy)
        first = [answer for answer in made if "idempotent-replayed" not in answer.headers]
        assert len(first) == 1
        firsts, replays, refused = firsts + 1, replays + len(made) - 1, refused + len(busy)
        longest = max(longest, *(answer.seconds for answer in answers))
    return {
        "rounds": len(found),
        "effects": firsts,
        "replayed": replays,
        "in flight": refused,
        "longest": f"{longest:.3f} s",
    }


async def titles(url: str) -> dict[str, int]:
    """How many houses have each title of this test."""
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        counted = select(Property.title, func.count()).where(Property.title.like("House %")).group_by(Property.title)
        rows = (await connection.execute(counted)).all()
    await engine.dispose()
    return {row[0]: row[1] for row in rows}


async def second_while_first_waits(server: Server, world: World, url: str) -> None:
    """However long the first one takes, the second is told at once."""
    sent = world.draft("House slow", key="slow")
    async with writers_stopped(url):
        first = asyncio.create_task(ask(server.port, sent))
        await asyncio.sleep(0.3)
        second = await ask(server.port, sent)
        assert (second.status, second.code) == (409, "idempotency.in_flight")
        assert second.seconds < 0.5
        assert not first.done()
    assert (await first).status == 201


@rounds("FREEHOLD_TEST_KEY_ROUNDS", 100)
async def test_I04_one_key_fifty_times_at_one_server_has_one_effect(
    database_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    server = serve(database_url)
    await server.start()
    world = await people(database_url, tmp_path)
    found = judge(await repeat([server], world, rounds))
    assert await titles(database_url) == {f"House {round_}": 1 for round_ in range(rounds)}
    figures(servers=1, **found)


@rounds("FREEHOLD_TEST_KEY_ROUNDS", 100, light=4)
async def test_I04_one_key_fifty_times_at_two_servers_has_one_effect(
    database_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    servers = [serve(database_url), serve(database_url)]
    for server in servers:
        await server.start()
    world = await people(database_url, tmp_path)
    found = judge(await repeat(servers, world, rounds))
    await second_while_first_waits(servers[1], world, database_url)
    names = [*map(str, range(rounds)), "slow"]
    assert await titles(database_url) == {f"House {name}": 1 for name in names}
    if rounds > 4:
        figures(servers=2, **found)

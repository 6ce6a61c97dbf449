"""X05: many who want one night of one house, over real connections to real servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import Server, World, people, rounds
from tests.faults.wire import Answer, at_once, crowd

pytestmark = pytest.mark.anyio

CONNECTIONS = 64
TENANTS = 16


async def race(
    servers: list[Server], world: World, number: int, figures: Callable[..., None], *, told: bool
) -> list[Answer]:
    """As many rounds as asked; each has a night of its own. Every answer given."""
    answers: list[Answer] = []
    with crowd(CONNECTIONS, *(server.port for server in servers)) as clients:
        for night in range(number):
            # Two shapes of stay, which have the contested night in common; rounds do not touch.
            wanted = [
                world.stay(turn % TENANTS, 0, 3 * night + turn % 2, nights=2 - turn % 2) for turn in range(CONNECTIONS)
            ]
            found = await at_once(clients, wanted)
            outcome = Counter((answer.status, answer.code) for answer in found)
            assert outcome == {(201, ""): 1, (409, "imba.dates_taken"): CONNECTIONS - 1}, outcome
            answers += found
    if told:
        waits = sorted(answer.seconds for answer in answers)
        figures(
            rounds=number,
            connections=CONNECTIONS,
            servers=len(servers),
            won=sum(answer.status == 201 for answer in answers),
            refused=sum(answer.status == 409 for answer in answers),
            p50=f"{waits[len(waits) // 2]:.3f} s",
            p99=f"{waits[len(waits) * 99 // 100]:.3f} s",
            longest=f"{waits[-1]:.3f} s",
        )
    return answers


@rounds("FREEHOLD_TEST_NIGHT_ROUNDS", 200, light=8)
async def test_X05_one_of_64_gets_the_night(
    database_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    server = serve(database_url)
    await server.start()
    world = await people(database_url, tmp_path, tenants=TENANTS, houses=2)
    answers = await race([server], world, rounds, figures, told=rounds > 8)
    if rounds > 8:  # the light form shares its machine with the rest of the suite
        assert max(answer.seconds for answer in answers) < 1
    # Nights that only touch: every one of them is had.
    with crowd(CONNECTIONS, server.port) as clients:
        touching = await at_once(clients, [world.stay(turn % TENANTS, 1, turn) for turn in range(CONNECTIONS)])
    assert [answer.status for answer in touching] == [201] * CONNECTIONS


@rounds("FREEHOLD_TEST_NIGHT_ROUNDS", 200)
async def test_X05_over_two_servers_on_postgresql(
    postgres_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    servers = [serve(postgres_url), serve(postgres_url)]
    for server in servers:
        await server.start()
    world = await people(postgres_url, tmp_path, tenants=TENANTS)
    answers = await race(servers, world, rounds, figures, told=True)
    assert max(answer.seconds for answer in answers) < 1

"""J01, W05: the server is killed with SIGKILL while guests book and a receiver is told of it.

What must hold: of every stay that was acknowledged the receiver has heard, and each time under the same id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.served import Server, World, people, rounds
from tests.faults.wire import Connection, Gone, request

from freehold.testing import Receiver, receiving

pytestmark = pytest.mark.anyio

BOOKINGS = 12
LONGEST_WAIT_SECONDS = 180


async def book(server: Server, world: World, first: int, booked: set[str]) -> None:
    """One stay after the other until the server is gone. booked: what was acknowledged."""
    client = Connection(server.port)
    try:
        for night in range(first, first + BOOKINGS):
            answer = await client.ask(world.stay(0, 0, night))
            assert answer.status == 201, answer.body
            booked.add(answer.json["id"])
    except Gone:
        pass  # the kill
    finally:
        client.hang_up()


async def heard(receiver: Receiver, booked: set[str]) -> dict[str, set[str]]:
    """By the id of the stay, the ids of the messages; once all that was acknowledged is among them."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while True:
            found: dict[str, set[str]] = {}
            for post in receiver.posts:
                found.setdefault(post.event["data"]["id"], set()).add(post.id)
            if booked <= found.keys():
                return found
            await asyncio.sleep(0.2)


@rounds("FREEHOLD_TEST_WEBHOOK_ROUNDS", 10)
async def test_J01_W05_no_event_is_lost_or_renamed_by_a_kill(
    database_url: str, tmp_path: Path, serve: Callable[..., Server], figures: Callable[..., None], rounds: int
) -> None:
    server = serve(database_url, FREEHOLD_ALLOWED_RECEIVERS="127.0.0.1")
    await server.start()
    world = await people(database_url, tmp_path, tenants=1, houses=1)
    booked: set[str] = set()
    async with receiving() as receiver:
        receiver.holds["/hooks"] = lambda: asyncio.sleep(random.uniform(0, 0.05))
        wish = {"url": receiver.url("/hooks"), "events": ["reservation.requested"]}
        asked = request("POST", "/v1/webhook-endpoints", token=world.landlord_token, body=wish)
        client = Connection(server.port)
        assert (await client.ask(asked)).status == 201
        client.hang_up()
        for number in range(rounds):
            writing = asyncio.create_task(book(server, world, number * BOOKINGS, booked))
            await asyncio.sleep(random.uniform(0.3, 2.0))
            await server.kill()
            await writing
            await server.start()
        found = await heard(receiver, booked)
        assert all(len(ids) == 1 for ids in found.values()), found
        figures(rounds=rounds, acknowledged=len(booked), heard=len(found), posts=len(receiver.posts))
    assert booked, "nothing was booked, and so nothing was tried"

"""The hammer in short (X05, X06), its weakened twin, and two keys taken in opposite order (X09)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from freehold.store.invariant_flush import before_flush
from tests.faults.hammer import RACES, Night, ring, window

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.mark.parametrize("rule", RACES)
async def test_X05_only_what_is_offered_is_had(database_url, rule):
    race = RACES[rule]
    async with ring(database_url, connections=12, rounds=8) as connections:
        outcome = await connections.hammer(race, rounds=8)
        assert await connections.faults(race, rounds=8) == 0
    assert outcome.others == []
    assert outcome.sold == [race.offered] * 8
    assert outcome.refused == 8 * (12 - race.offered)
    assert (
        outcome.longest_seconds < 15
    )  # nobody waits for a deadlock to be found, over and over; X05's second is a fault's figure


@pytest.mark.parametrize("rule", RACES)
async def test_X05_a_rule_that_only_looks_first_is_caught_by_the_same_hammer(database_url, rule):
    race = RACES[rule]
    async with ring(database_url, connections=12, rounds=8, weakened=race.table) as connections:
        await connections.hammer(race, rounds=8, naive=True)
        assert await connections.faults(race, rounds=8) > 0


async def test_X05_the_trigger_alone_is_enough_where_no_exclusion_can_be_had(postgres_url):
    race = RACES["no_overlap"]
    async with ring(postgres_url, connections=12, rounds=8, weakened=Night, torn="constraint") as connections:
        outcome = await connections.hammer(race, rounds=8)
        assert await connections.faults(race, rounds=8) == 0
    assert outcome.sold == [1] * 8
    assert outcome.others == []


async def test_X05_the_exclusion_is_a_wall_of_its_own(postgres_url):
    race = RACES["no_overlap"]
    async with ring(postgres_url, connections=3, rounds=2, weakened=Night, torn="trigger") as connections:
        outcome = await connections.hammer(race, rounds=2, naive=True)
        assert await connections.faults(race, rounds=2) <= 0
    assert max(outcome.sold) <= 1


def _book_two(connection, number, houses):
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        for house in houses:
            first, last = window(number, 0)
            session.add(Night(house_id=house, check_in=first, check_out=last))
        before_flush(session)
        session.flush()
        session.commit()


async def test_X09_two_keys_in_opposite_order_do_not_deadlock(postgres_url):
    async def both(connection, number, turn):
        houses = (1, 2) if turn % 2 else (2, 1)
        try:
            async with connection.begin():
                await connection.run_sync(_book_two, number, houses)
        except DBAPIError as error:
            return getattr(error.orig, "sqlstate", "?")
        return "booked"

    async with ring(postgres_url, connections=8, rounds=1) as connections:
        for number in range(6):
            told = await asyncio.gather(
                *(both(connection, number, turn) for turn, connection in enumerate(connections.connections))
            )
            assert sorted(told) == ["23P01"] * 7 + ["booked"]

"""The long form of the hammer (X05, X06): 64 connections, 200 rounds, on both databases."""

from __future__ import annotations

import pytest
from tests.faults.hammer import RACES, ring

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(180)]


@pytest.mark.parametrize("rule", RACES)
async def test_X05_64_connections_race_200_times_for_one_key(database_url, rule):
    race = RACES[rule]
    async with ring(database_url, connections=64, rounds=200) as connections:
        outcome = await connections.hammer(race, rounds=200)
        assert await connections.faults(race, rounds=200) == 0
    assert outcome.others == []
    assert outcome.sold == [race.offered] * 200
    assert outcome.refused == 200 * (64 - race.offered)
    assert outcome.longest_seconds < 1


@pytest.mark.parametrize("rule", RACES)
async def test_X05_the_weakened_twin_is_caught(database_url, rule):
    race = RACES[rule]
    async with ring(database_url, connections=64, rounds=50, weakened=race.table) as connections:
        await connections.hammer(race, rounds=50, naive=True)
        assert await connections.faults(race, rounds=50) > 0

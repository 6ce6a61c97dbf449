"""Jobs apart from the service: the workers killed and stopped (J02, F07)."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable

import pytest
from tests.faults.works import Works, assert_once_and_in_order
from tests.waiting import until

from freehold.jobs.overview import backlogs
from freehold.jobs.tables import State
from freehold.resource.principal import system

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(600)]


async def test_J02_workers_killed_at_any_moment_leave_each_effect_once_and_in_order(
    works: Works, figures: Callable[..., None]
) -> None:
    sent: list[str] = []
    rounds = 6
    for _ in range(rounds):
        worker = await works.hire()
        for _ in range(30):
            sent.append(f"{len(sent) % 3}-{len(sent)}")
            await works.order(sent[-1])
        await asyncio.sleep(random.uniform(0, 0.3))
        await worker.kill()
    await works.hire()

    async def done() -> bool:
        async with works.database.reading(system("test")) as session:
            return not [each for each in await backlogs(session) if each.name == "works.pack"]

    await until(done, seconds=120)
    assert_once_and_in_order(await works.packed(), sent)
    figures(kills=rounds, jobs=len(sent))


async def test_F07_a_worker_that_is_told_to_stop_ends_in_order_and_at_the_second_word_at_once(
    works: Works,
) -> None:

    async def running() -> bool:
        return State.RUNNING in await works.states()

    worker = await works.hire()
    await works.order("a-1")

    async def done() -> bool:
        return await works.states() == [State.DONE]

    await until(done)
    worker.signal(signal.SIGTERM)
    assert await worker.ended(20) == 0
    worker = await works.hire()
    await works.order("rest")
    await until(running)
    worker.signal(signal.SIGTERM)
    await asyncio.sleep(1)
    assert await running()  # it has 30 s
    worker.signal(signal.SIGTERM)
    await worker.ended(10)

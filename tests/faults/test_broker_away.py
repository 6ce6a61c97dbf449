"""The broker is stopped for ten minutes while orders come in and a worker dies (J01, F04).

What must hold: every request is answered as ever, whoever repeats one has one order, all of it is packed once and in its
turn, whether the broker is there or not; and when it is back, it carries again, without a start of anything.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.faults.wire import ask, request
from tests.faults.works import Works, assert_once_and_in_order
from tests.jobs.brokers import OwnNats
from tests.jobs.own_rabbit import OwnRabbit
from tests.waiting import until

pytestmark = pytest.mark.anyio

AWAY_SECONDS = float(os.environ.get("FREEHOLD_TEST_BROKER_AWAY_SECONDS", "600"))
ORDERS_PER_SECOND = 10
TWICE = 5  # every fifth is sent again, as by a client that heard nothing

long, light = pytest.mark.faults, pytest.mark.slow
FORMS = [
    pytest.param("nats", 10.0, id="nats-light", marks=[light, pytest.mark.timeout(180)]),
    pytest.param("rabbitmq", 10.0, id="rabbitmq-light", marks=[light, pytest.mark.timeout(300)]),
    pytest.param("nats", AWAY_SECONDS, id="nats-long", marks=[long, pytest.mark.timeout(1800)]),
    pytest.param("rabbitmq", AWAY_SECONDS, id="rabbitmq-long", marks=[long, pytest.mark.timeout(1800)]),
]


@dataclass
class Customers:
    """They order as they do, whatever happens."""

    works: Works
    sent: list[str] = field(default_factory=list)
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    async def order(self, kind: str, seconds: float) -> None:
        """For so long. kind: under which the times of their answers are noted."""
        loop = asyncio.get_running_loop()
        ends, times = loop.time() + seconds, self.milliseconds.setdefault(kind, [])
        while loop.time() < ends:
            number = len(self.sent)
            self.sent.append(f"{number % 5}-{number}")
            answers = [
                await self.works.order(self.sent[-1], key=f"order-{number}") for _ in range(1 + (number % TWICE == 0))
            ]
            assert len({each.json["id"] for each in answers}) == 1
            times.append(answers[0].seconds * 1000)
            await asyncio.sleep(1 / ORDERS_PER_SECOND)

    async def all_packed(self) -> bool:
        """Is there nothing left to do?"""
        return await self.works.packed_count() == len(self.sent)


@pytest.mark.parametrize(("broker", "seconds"), FORMS, indirect=["broker"])
async def test_J01_F04_a_broker_away_for_ten_minutes_costs_no_request_and_no_job(
    works: Works, broker: OwnNats | OwnRabbit, seconds: float, figures: Callable[..., None]
) -> None:
    await works.hire()
    doomed = await works.hire()
    customers = Customers(works)
    await customers.order("there", 3)
    await until(customers.all_packed)
    broker.kill()
    await customers.order("away", seconds / 2)
    assert await readiness(works) == (200, "degraded")
    await doomed.kill()  # what it was at is taken up again when its lease ends
    await customers.order("away", seconds / 2)
    await until(customers.all_packed)
    await asyncio.to_thread(broker.start)
    await customers.order("back", 3)
    await until(customers.all_packed)
    await until(lambda: says(works, "ok"))
    assert_once_and_in_order(await works.packed(), customers.sent)
    text = works.server.log.read_text()
    assert (text.count("broker_away"), text.count("broker_is_back")) == (1, 1)
    medians = {f"{kind}_ms": round(statistics.median(each), 1) for kind, each in customers.milliseconds.items()}
    figures(seconds=seconds, orders=len(customers.sent), **medians)


async def readiness(works: Works) -> tuple[int, str]:
    """Status and word of its health."""
    answer = await ask(works.server.port, request("GET", "/health/ready"))
    return answer.status, answer.json["status"]


async def says(works: Works, word: str) -> bool:
    return await readiness(works) == (200, word)

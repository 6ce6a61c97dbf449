"""The database's connections are cut while clients write, as a failover or a firewall does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import make_url

from proof.figures import CUT_DOUBLED, CUT_LOST, TORN, Count, Figures
from proof.runs.judging import references, surplus
from proof.runs.races import product
from proof.service import Service

CLIENTS = 12
SECONDS = 8.0
PAUSE_SECONDS = 0.2
NO_ANSWER = 0
UNKNOWN = "service.outcome_unknown"
"""Said of a commit whose end was not seen: it may or may not have happened. It denies nothing."""

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' ORDER BY random() LIMIT 1
"""


@dataclass
class _Order:
    """What was asked for, and the status and code of its answer."""

    body: dict[str, str]
    guest: UUID
    status: int
    code: str

    @property
    def reference(self) -> str:
        return self.body["reference"]

    @property
    def is_denied(self) -> bool:
        """Was the client told that nothing was done?"""
        return self.status >= 500 and self.code != UNKNOWN


async def run(service: Service) -> Figures:
    """Five times a second one of the connections that are at work is cut. Nothing is cut on SQLite, which has none."""
    if make_url(service.database_url).get_backend_name() != "postgresql":
        return {}
    stop = asyncio.Event()
    wanted = [await product(service, units=10**6) for _ in range(CLIENTS)]
    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(_write(service, wanted[number], number, stop)) for number in range(CLIENTS)]
        for _ in range(int(SECONDS / PAUSE_SECONDS)):
            await asyncio.sleep(PAUSE_SECONDS)
            await service.rows(CUT)
        stop.set()
    orders = [order for writer in writers for order in writer.result()]
    there = await references(service, "cut-")
    done = [order for order in orders if order.status == 201]
    failed = [order for order in orders if order.status in (NO_ANSWER, *range(500, 600))]
    for order in failed:
        await service.insist("/v1/orders", order.body, guest=order.guest, key=order.reference)
    return {
        CUT_LOST: Count(sum(order.reference not in there for order in done), len(done)),
        TORN: Count(sum(order.reference in there for order in failed if order.is_denied), len(failed)),
        CUT_DOUBLED: Count(surplus(await references(service, "cut-")), len(failed)),
    }


async def _write(service: Service, wanted: str, number: int, stop: asyncio.Event) -> list[_Order]:
    orders: list[_Order] = []
    guest = uuid4()
    while not stop.is_set():
        key = f"cut-{number}-{len(orders)}"
        body = {"product_id": wanted, "reference": key}
        try:
            answer = await service.post("/v1/orders", body, guest=guest, key=key)
        except httpx2.TransportError:
            orders.append(_Order(body, guest, NO_ANSWER, ""))
            continue
        code = str(answer.json().get("code", "")) if "json" in answer.headers.get("content-type", "") else ""
        orders.append(_Order(body, guest, answer.status_code, code))
    return orders

"""Many clients want the same at the same moment."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date, timedelta
from uuid import uuid4

import httpx2

from proof.figures import OVERLAPS, OVERSOLD, Count, Figures
from proof.service import Service

CLIENTS = 12
NIGHTS = 30
PRODUCTS = 20
UNITS = 5
ROOM = 1

TAKEN = "SELECT count(*) FROM bookings WHERE room = :room GROUP BY check_in"


async def run(service: Service) -> Figures:
    """Twelve clients ask for one night, 30 nights in turn; then for one unit of a thing of which there are five."""
    for night in range(NIGHTS):
        await _all_at_once(service, "/v1/bookings", stay(ROOM, night))
    doubled = sum(row[0] > 1 for row in await service.rows(TAKEN, room=ROOM))
    for _ in range(PRODUCTS):
        wanted = await product(service, units=UNITS)
        await _all_at_once(service, "/v1/orders", {"product_id": wanted, "reference": "race"})
    sold = await service.rows("SELECT count(*) FROM orders WHERE reference = 'race' GROUP BY product_id")
    oversold = sum(max(0, row[0] - UNITS) for row in sold)
    return {OVERLAPS: Count(doubled, NIGHTS), OVERSOLD: Count(oversold, PRODUCTS * CLIENTS)}


async def _all_at_once(service: Service, path: str, body: dict[str, object]) -> None:
    """What came of it is in the rows. Some may get no answer: requests that wait for each other's connections hang."""

    async def ask() -> None:
        with contextlib.suppress(httpx2.TransportError):
            await service.post(path, body, guest=uuid4())

    await asyncio.gather(*(ask() for _ in range(CLIENTS)))


def stay(room: int, night: int, note: str = "") -> dict[str, object]:
    """The request for one night."""
    arrival = date(2030, 1, 1) + timedelta(days=night)
    departure = arrival + timedelta(days=1)
    return {"room": room, "check_in": arrival.isoformat(), "check_out": departure.isoformat(), "note": note}


async def product(service: Service, *, units: int) -> str:
    """The id of a thing of which there are so many."""
    made = await service.insist("/v1/products", {"units": units}, guest=uuid4(), key=uuid4().hex)
    return str(made.json()["id"])

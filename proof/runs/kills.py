"""kill -9 of the service while clients write, again and again."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx2

from proof.figures import DOUBLED, LETTERS_DOUBLED, LETTERS_LOST, LOST, Count, Figures
from proof.runs.judging import ids, references, surplus
from proof.runs.races import product, stay
from proof.service import Service

CLIENTS = 12
ROUNDS = 8
LONGEST_LIFE_SECONDS = 0.5
PATIENCE_SECONDS = 60
QUIET_SECONDS = 10


@dataclass
class _Client:
    """A careful one: every write has a key and is repeated until it was answered."""

    service: Service
    number: int
    wanted: str
    stop: asyncio.Event
    orders: list[UUID] = field(default_factory=list)
    bookings: list[UUID] = field(default_factory=list)
    told: int = 0

    async def write(self) -> None:
        guest, turn = uuid4(), 0
        while not self.stop.is_set():
            key = f"kill-{self.number}-{turn}"
            if turn % 2 or self.service.contender.only_orders:
                body = {"product_id": self.wanted, "reference": key}
                made = await self.service.insist("/v1/orders", body, guest=guest, key=key)
                self.orders += _made(made)
            else:
                made = await self.service.insist("/v1/bookings", stay(1000 + self.number, turn), guest=guest, key=key)
                self.bookings += _made(made)
            turn += 1
            self.told += 1


def _told(clients: list[_Client]) -> int:
    return sum(client.told for client in clients)


def _made(answer: httpx2.Response) -> list[UUID]:
    # A repeated booking meets the row of its own first try in stock code: 409, and nobody was told an id.
    return [UUID(answer.json()["id"])] if answer.status_code == 201 else []


async def run(service: Service) -> Figures:
    """Twelve clients write bookings, each with a letter behind it, and orders; eight kills at moments of chance."""
    stop = asyncio.Event()
    clients = [_Client(service, number, await product(service, units=10**6), stop) for number in range(CLIENTS)]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.write())
        for _ in range(ROUNDS):
            before = _told(clients)
            while _told(clients) < before + 2 * CLIENTS:  # noqa: ASYNC110  # twelve clients make it true
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0, LONGEST_LIFE_SECONDS))
            service.kill()
            await service.start()
        stop.set()
    orders = [each for client in clients for each in client.orders]
    bookings = [each for client in clients for each in client.bookings]
    there = set(await ids(service, "orders")) | set(await ids(service, "bookings"))
    lost = sum(each not in there for each in (*orders, *bookings))
    letters = await _letters(service, bookings)
    return {
        LOST: Count(lost, len(orders) + len(bookings)),
        DOUBLED: Count(surplus(await references(service, "kill-")), len(orders)),
        LETTERS_LOST: Count(sum(each not in letters for each in bookings), len(bookings)),
        LETTERS_DOUBLED: Count(sum(letters[each] > 1 for each in bookings), len(bookings)),
    }


async def _letters(service: Service, bookings: list[UUID]) -> dict[UUID, int]:
    """Wait until all are there, or none has come for ten seconds."""
    letters, waited = await ids(service, "letters", "booking_id"), 0.0
    quiet = 0.0
    while waited < PATIENCE_SECONDS and quiet < QUIET_SECONDS and any(each not in letters for each in bookings):
        before = letters.total()
        await asyncio.sleep(0.5)
        waited += 0.5
        letters = await ids(service, "letters", "booking_id")
        quiet = 0.0 if letters.total() > before else quiet + 0.5
    return letters

"""Careful clients: each write has a key, and is repeated until it was answered. What they were told is kept."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.served import World
from tests.faults.wire import Answer, Connection, Gone, request
from tests.media.pictures import pdf

PATIENCE_SECONDS = 35.0
# Between two writes of one client: as fast as they can, eight of them leave nothing of two cores for a process that starts.
THINKS_SECONDS = (0.05, 0.2)
NOT_NOW = (401, 429, 500, 502, 503, 504, 507)  # 401: a node's clock is wrong, and it takes no token


@dataclass
class Told:
    """What the clients were told, over all rounds of a fault."""

    booked: dict[str, str] = field(default_factory=dict)  # key: id
    cancelled: set[str] = field(default_factory=set)  # ids
    listed: dict[str, str] = field(default_factory=dict)  # title: id
    uploaded: dict[str, str] = field(default_factory=dict)  # file name: id
    refused: int = 0
    surprises: list[str] = field(default_factory=list)
    longest_in_flight: float = 0.0
    again: Counter[str] = field(default_factory=Counter)  # why something was asked again

    @property
    def acknowledged(self) -> int:
        return len(self.booked) + len(self.cancelled) + len(self.listed) + len(self.uploaded)


@dataclass
class Client:
    """One of them, which goes from process to process as a balancer would send it."""

    name: str
    ports: list[int]
    world: World
    told: Told
    stop: asyncio.Event

    async def carry_through(self, sent: bytes) -> Answer:
        """Ask until there is an answer that is one."""
        in_flight_since = 0.0
        while True:
            answer = await self._ask(sent)
            if answer is not None and answer.code == "idempotency.in_flight":
                in_flight_since = in_flight_since or time.monotonic()
                self.told.longest_in_flight = max(self.told.longest_in_flight, time.monotonic() - in_flight_since)
            elif answer is not None and answer.status not in NOT_NOW:
                return answer
            elif answer is not None and answer.status == 500:
                self.told.surprises.append(f"{sent[:60]!r}: {answer.body[:200]!r}")
            self.told.again["no answer" if answer is None else f"{answer.status} {answer.code}"] += 1
            await asyncio.sleep(random.uniform(0.02, 0.06))

    async def _ask(self, sent: bytes) -> Answer | None:
        connection = Connection(random.choice(self.ports))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await connection.ask(sent)
        except (Gone, TimeoutError):
            return None
        finally:
            connection.hang_up()

    def expect(self, answer: Answer, *statuses: int) -> Any:
        """The body, where the status is one of these; otherwise it is noted and None comes."""
        if answer.status in statuses:
            return answer.json
        self.told.surprises.append(f"{self.name}: {answer.status} {answer.body[:200]!r}")
        return None

    async def book(self, number: int) -> None:
        """Nights of a house of one's own; every third booking is cancelled again."""
        for night in self._while_not_stopped():
            key = f"{self.name}-{night}"
            await think()
            made = self.expect(await self.carry_through(self.world.stay(number, number, night, key=key)), 201)
            if made is None:
                continue
            self.told.booked[key] = made["id"]
            if night % 3 == 0:
                await self._cancel(number, made["id"], key)

    async def _cancel(self, number: int, row: str, key: str) -> None:
        token = self.world.tenant_tokens[number]
        sent = request("POST", f"/v1/reservations/{row}/cancellation", token=token, key=f"{key}-c")
        if self.expect(await self.carry_through(sent), 200) is not None:
            self.told.cancelled.add(row)

    async def contend(self, number: int) -> None:
        """Nights of a house that others want as well: one of them gets each."""
        for night in self._while_not_stopped():
            key = f"{self.name}-{night}"
            answer = await self.carry_through(self.world.stay(number, -1, night, key=key))
            if answer.status == 409:
                self.told.refused += 1
            elif (made := self.expect(answer, 201)) is not None:
                self.told.booked[key] = made["id"]
            await think()

    async def list(self, number: int) -> None:
        """Houses, known by their titles."""
        for turn in self._while_not_stopped():
            title = f"{self.name}-{turn}"
            made = self.expect(await self.carry_through(self.world.draft(title, key=title)), 201)
            if made is not None:
                self.told.listed[title] = made["id"]
            await think()

    async def upload(self, number: int) -> None:
        """Documents, known by their names."""
        for turn in self._while_not_stopped():
            name = f"{self.name}-{turn}.pdf"
            made = self.expect(await self.carry_through(self._form(name)), 201)
            if made is not None:
                self.told.uploaded[name] = made["id"]
            await asyncio.sleep(0.2)

    def _form(self, name: str) -> bytes:
        content = pdf() + f"% {name}\n".encode()
        parts = (
            b'--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndocument\r\n--edge\r\n'
            + f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
            + b"Content-Type: application/pdf\r\n\r\n"
            + content
            + b"\r\n--edge--\r\n"
        )
        head = (
            f"POST /v1/media HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.world.landlord_token}\r\n"
            f'Idempotency-Key: "{name}"\r\nContent-Type: multipart/form-data; boundary=edge\r\n'
            f"Content-Length: {len(parts)}\r\n\r\n"
        )
        return head.encode() + parts

    def _while_not_stopped(self) -> Any:
        return itertools.takewhile(lambda _: not self.stop.is_set(), itertools.count())


async def think() -> None:
    """As people do between two things that they do."""
    await asyncio.sleep(random.uniform(*THINKS_SECONDS))


TENANTS = 6
CONTENDERS = 3


def clients(world: World, ports: list[int], told: Told, stop: asyncio.Event, tag: str) -> list[Any]:
    """Everyone's work, to be awaited."""

    def work(kind: str, number: int) -> Any:
        client = Client(f"{tag}-{kind}-{number}", ports, world, told, stop)
        return getattr(client, kind)(number)

    return [
        *(work("book", number) for number in range(TENANTS - CONTENDERS)),
        *(work("contend", number) for number in range(TENANTS - CONTENDERS, TENANTS)),
        *(work("list", number) for number in range(2)),
        work("upload", 0),
    ]

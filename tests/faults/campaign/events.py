"""A landlord's own server, which is told by webhooks of what the clients did; and what must hold of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.imba.reservations.models import Reservation
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from standardwebhooks import Webhook, WebhookVerificationError
from tests.faults.campaign.traffic import Told
from tests.faults.served import World
from tests.faults.wire import ask, request

from freehold.fields import now
from freehold.testing import Receiver
from freehold.testing.receiver import Post
from freehold.webhooks.tables import EVENTS, WebhookDelivery

REQUESTED, CANCELLED = "reservation.requested", "reservation.cancelled"
ONE_IN = 20  # is not taken at its first try
PATIENCE_SECONDS = 120.0
_SOON = timedelta(seconds=PATIENCE_SECONDS)


@dataclass
class Heard:
    """What was found amiss with events, and how many there were.

    unfounded: of a stay that is not there. waiting: their next try is due later than anybody waits, for a clock was wrong.
    """

    missing: list[str] = field(default_factory=list)
    unfounded: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    out_of_order: int = 0
    badly_signed: int = 0
    taken: int = 0
    again: int = 0
    waiting: int = 0

    @property
    def amiss(self) -> int:
        """How many; that one is sent again under its own id, or waits for its next try, is nothing amiss."""
        lists = len(self.missing) + len(self.unfounded) + len(self.doubled)
        return lists + self.out_of_order + self.badly_signed


@dataclass
class Subscriber:
    """It checks each signature with a library that is not ours, and cannot take every twentieth event at once."""

    path: str
    secret: str
    taken: list[Post] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def answer(self, post: Post) -> int:
        """The status for one request."""
        try:
            Webhook(self.secret).verify(post.body, post.headers)
        except WebhookVerificationError as why:
            self.refused[str(why)] += 1
            return 400
        is_first = post.id not in self._seen
        self._seen.add(post.id)
        if is_first and len(self._seen) % ONE_IN == 0:
            return 503
        self.taken.append(post)
        return 204

    async def judge(self, connection: AsyncConnection, told: Told, found: Heard) -> None:
        """Add to `found`, once all that clients were told has come, or patience has ended."""
        owed = {(row, REQUESTED) for row in told.booked.values()} | {(row, CANCELLED) for row in told.cancelled}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            missing = owed - self._what()
            later = await _later(connection) if missing else set()
            if not missing - later or time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        found.waiting += len(missing & later)
        found.missing += [f"{kind} {row}" for row, kind in sorted(missing - later)]
        await self._unfounded(connection, found)
        self._named(found)
        found.badly_signed += sum(number for why, number in self.refused.items() if "timestamp" not in why)

    def _what(self) -> set[tuple[str, str]]:
        return {(post.event["data"]["id"], post.event["type"]) for post in self.taken}

    async def _unfounded(self, connection: AsyncConnection, found: Heard) -> None:
        """Nobody is told of a stay whose transaction did not commit."""
        rows = {row for row, _ in self._what()}
        there = await connection.scalars(select(Reservation.id).where(Reservation.id.in_(map(UUID, rows))))
        found.unfounded += sorted(rows - {str(each) for each in there})

    def _named(self, found: Heard) -> None:
        """One thing that happened has one id, however often it comes, and numbers tell the order of what befell one stay."""
        ids: dict[tuple[str, str], set[tuple[str, int]]] = defaultdict(set)
        for post in self.taken:
            ids[post.event["data"]["id"], post.event["type"]].add((post.id, post.event["sequence"]))
        found.taken += len(ids)
        found.again += len(self.taken) - sum(map(len, ids.values()))
        found.doubled += [f"{kind} {row}" for (row, kind), names in sorted(ids.items()) if len(names) > 1]
        for (row, kind), names in ids.items():
            before = [sequence for _, sequence in ids.get((row, REQUESTED), ())]
            if kind == CANCELLED and before:
                found.out_of_order += min(sequence for _, sequence in names) <= max(before)


async def _later(connection: AsyncConnection) -> set[tuple[str, str]]:
    """What is still on its way, with a next try that is later than the patience."""
    await connection.rollback()  # SQLite and PostgreSQL alike show a transaction what was there when it began
    rows = await connection.execute(
        select(EVENTS.c.subject_id, EVENTS.c.type)
        .join(WebhookDelivery, WebhookDelivery.event_id == EVENTS.c.id)
        .where(WebhookDelivery.state == "pending", WebhookDelivery.next_attempt_at > now() + _SOON)
    )
    return {(row.subject_id, row.type) for row in rows}


async def subscribe(world: World, receiver: Receiver, port: int, path: str) -> Subscriber:
    """The landlord's endpoint, made as a client makes it."""
    wish = {"url": receiver.url(path), "events": [REQUESTED, CANCELLED]}
    answer = await ask(port, request("POST", "/v1/webhook-endpoints", token=world.landlord_token, body=wish))
    assert answer.status == 201, answer.body
    made: Any = answer.json
    subscriber = Subscriber(path, made["secret"])
    receiver.says[path] = subscriber.answer
    return subscriber

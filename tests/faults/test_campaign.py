"""What the campaign's judge says of events: each thing that can be amiss with them is found, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.faults.campaign import events
from tests.faults.campaign.events import CANCELLED, ONE_IN, REQUESTED, Heard, Subscriber
from tests.faults.campaign.traffic import Told

from freehold.fields import new_id, now
from freehold.store.ledger import LEDGER
from freehold.testing.receiver import Post
from freehold.webhooks.signing import Message, new_secret
from freehold.webhooks.tables import EVENTS, WebhookDelivery, table_of

pytestmark = pytest.mark.anyio

STAY = new_id()
TOLD = Told(booked={"key": str(STAY)}, cancelled={str(STAY)})


@pytest.fixture
async def connection(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncConnection]:
    """A database with that one stay."""
    monkeypatch.setattr(events, "PATIENCE_SECONDS", 0.0)
    engine = create_async_engine("sqlite+aiosqlite://")
    stays = Table("reservations", MetaData(), Column("id", Uuid, primary_key=True))
    async with engine.connect() as there:
        await there.run_sync(stays.create)
        await there.run_sync(LEDGER.create_all)
        await there.execute(insert(stays).values(id=STAY))
        await there.commit()
        yield there
    await engine.dispose()


@pytest.fixture
def subscriber() -> Subscriber:
    return Subscriber("/hooks", new_secret("v1"))


def post(subscriber: Subscriber, kind: str, sequence: int, *, stay: UUID = STAY, secret: str = "") -> Post:
    """As Freehold sends it."""
    body = orjson.dumps({"type": kind, "sequence": sequence, "data": {"id": str(stay)}})
    message = Message(str(new_id()), now(), body)
    return Post("/hooks", message.headers([secret or subscriber.secret]), body)


async def judged(subscriber: Subscriber, connection: AsyncConnection, *posts: Post) -> Heard:
    for each in posts:
        subscriber.answer(each)
    found = Heard()
    await subscriber.judge(connection, TOLD, found)
    return found


async def test_J01_W05_all_that_was_told_once_or_again_is_nothing_amiss(
    subscriber: Subscriber, connection: AsyncConnection
) -> None:
    cancelled, requested = post(subscriber, CANCELLED, 2), post(subscriber, REQUESTED, 1)
    found = await judged(subscriber, connection, cancelled, requested, requested)
    assert (found.amiss, found.taken, found.again) == (0, 2, 1)


async def test_J01_W05_each_fault_is_found(subscriber: Subscriber, connection: AsyncConnection) -> None:
    requested, cancelled = post(subscriber, REQUESTED, 3), post(subscriber, CANCELLED, 2)
    unfounded = post(subscriber, REQUESTED, 4, stay=new_id())
    found = await judged(subscriber, connection, requested, post(subscriber, REQUESTED, 1), cancelled, unfounded)
    assert found.doubled == [f"{REQUESTED} {STAY}"]
    assert found.unfounded == [unfounded.event["data"]["id"]]
    assert found.out_of_order == 1
    assert found.amiss == 3


async def test_W04_a_wrong_signature_is_refused_and_the_event_is_missing(
    subscriber: Subscriber, connection: AsyncConnection
) -> None:
    forged = post(subscriber, CANCELLED, 2, secret=new_secret("v1"))
    found = await judged(subscriber, connection, post(subscriber, REQUESTED, 1), forged)
    assert (found.badly_signed, found.missing) == (1, [f"{CANCELLED} {STAY}"])


async def test_W05_what_waits_for_its_next_try_is_not_missing_yet(
    subscriber: Subscriber, connection: AsyncConnection
) -> None:
    event = {"id": new_id(), "sequence": 2, "type": CANCELLED, "subject_id": str(STAY), "data": {}}
    await connection.execute(insert(EVENTS).values(**event, occurred_at=now()))
    delivery = {"endpoint_id": new_id(), "owner_id": new_id(), "event_id": event["id"], "event": CANCELLED}
    due = {"state": "pending", "attempts": 1, "next_attempt_at": now() + timedelta(hours=1)}
    await connection.execute(insert(table_of(WebhookDelivery)).values(**delivery, **due))
    await connection.commit()
    found = await judged(subscriber, connection, post(subscriber, REQUESTED, 1))
    assert (found.waiting, found.amiss) == (1, 0)


def test_every_twentieth_is_not_taken_at_its_first_try(subscriber: Subscriber) -> None:
    posts = [post(subscriber, REQUESTED, number) for number in range(ONE_IN)]
    assert [subscriber.answer(each) for each in posts] == [*[204] * (ONE_IN - 1), 503]
    assert subscriber.answer(posts[-1]) == 204

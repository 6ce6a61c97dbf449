"""From one event to the endpoints that it is for: those that have subscribed, and whose owners may read the row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from freehold.jobs import carriage, job, running
from freehold.resource.base import new_id
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.store import outbox
from freehold.store.instant import instant
from freehold.store.session import Session
from freehold.store.upserts import insert_into
from freehold.webhooks.dispatcher import Dispatcher
from freehold.webhooks.sending import send
from freehold.webhooks.tables import EVENTS, SUBSCRIPTIONS, WebhookDelivery, WebhookEndpoint, table_of

_PAGE = 200


async def relay(db: Session, event: outbox.Event) -> None:
    """Take over an event from the outbox, in the transaction that marks it as delivered there."""
    values = {"id": event.id, "sequence": event.sequence, "type": event.type, "occurred_at": event.created_at}
    await db.execute(insert(EVENTS).values(**values, **event.payload))
    await fan_out.enqueue(db, event_id=event.id)


@job(
    "freehold.webhooks.fan_out",
    system="find the endpoints that an event is for",
    outside=True,
    at_once=1,
    timeout=timedelta(minutes=10),
)
async def fan_out(db: Session, *, event_id: UUID) -> None:
    """Owe the event to each endpoint that it is for. Run again it owes nothing twice."""
    event = (await db.execute(select(EVENTS).where(EVENTS.c.id == event_id))).one_or_none()
    if event is None:
        return
    last: UUID | None = None
    while page := await _subscribed(db, event.type, last):
        last = page[-1].id
        chosen = await _who_may_read(event, page)
        async with running().writing() as writing:
            await _owe(writing, event, chosen)


async def _subscribed(db: Session, name: str, last: UUID | None) -> Sequence[Any]:
    endpoint = WebhookEndpoint
    asked = (
        select(endpoint.id, endpoint.owner_id, endpoint.acts_as)
        .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.endpoint_id == endpoint.id)
        .where(SUBSCRIPTIONS.c.type == name, endpoint.is_enabled)
        .order_by(endpoint.id)
        .limit(_PAGE)
    )
    return (await db.execute(asked if last is None else asked.where(endpoint.id > last))).all()


async def _who_may_read(event: Any, page: Sequence[Any]) -> list[Any]:
    """The endpoints whose owners may read the row now. Each is judged as a caller would be."""
    dispatcher = running().part(Dispatcher)
    declared = dispatcher.events.get(event.type)
    if declared is None:
        return []
    known: dict[Principal | None, bool] = {None: False}
    chosen = []
    for endpoint in page:
        principal = await carriage.judge(endpoint.acts_as, dispatcher.principals)
        if principal not in known:
            async with dispatcher.database.reading(principal or ANONYMOUS) as session:
                known[principal] = await dispatcher.sight.seen(session, declared.model, event.subject_id) is not None
        if known[principal]:
            chosen.append(endpoint)
    return chosen


async def _owe(db: Session, event: Any, endpoints: Sequence[Any]) -> None:
    if not endpoints:
        return
    dialect = db.get_bind().dialect.name
    common = {"event_id": event.id, "event": event.type, "subject_id": event.subject_id, "state": "pending"}
    rows = [{"id": new_id(), "endpoint_id": each.id, "owner_id": each.owner_id, **common} for each in endpoints]
    into = insert_into(db, table_of(WebhookDelivery))
    await db.execute(into.values(next_attempt_at=instant(dialect)).on_conflict_do_nothing(), rows)
    await send.enqueue(db, key="send")

"""What webhooks clear away by themselves."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Table, delete, select, tuple_, update

from freehold.jobs import job, schedule
from freehold.store.instant import instant
from freehold.store.session import Session
from freehold.webhooks.dispatcher import Dispatcher
from freehold.webhooks.sending import send
from freehold.webhooks.tables import EVENTS, RECEIVED, WebhookDelivery, table_of

# No sender repeats itself for longer than this.
_RECEIPTS_KEPT = timedelta(days=30)
_PARKED_AFTER = timedelta(days=4)  # what waited behind others, or for an endpoint that is switched off
_AT_ONCE = 1000


@schedule("freehold.webhooks.sweep", every=timedelta(hours=1), missed="skip")
@job("freehold.webhooks.sweep", system="park old deliveries, and forget what was sent long ago")
async def sweep(db: Session) -> None:
    """Park what has waited for four days; forget old events, and their deliveries with them."""
    dialect, delivery = db.get_bind().dialect.name, table_of(WebhookDelivery)
    old = delivery.c.state == "pending", delivery.c.created_at < instant(dialect, -_PARKED_AFTER)
    await db.execute(update(delivery).where(*old).values(state="parked", attempt=None, next_attempt_at=None))
    await _forget(db, EVENTS, EVENTS.c.occurred_at < instant(dialect, -db.part(Dispatcher).kept_for))
    await send.enqueue(db, key="send")  # should the job that was to come back have been given up


@schedule("freehold.webhooks.forget_receipts", every=timedelta(hours=1), missed="skip")
@job("freehold.webhooks.forget_receipts", system="forget which webhooks came long ago")
async def forget_receipts(db: Session) -> None:
    """Forget the ids of what was received over 30 days ago."""
    await _forget(db, RECEIVED, RECEIVED.c.received_at < instant(db.get_bind().dialect.name, -_RECEIPTS_KEPT))


async def _forget(db: Session, table: Table, is_old: ColumnElement[bool]) -> None:
    key = tuple_(*table.primary_key.columns)
    await db.execute(delete(table).where(key.in_(select(*table.primary_key.columns).where(is_old).limit(_AT_ONCE))))

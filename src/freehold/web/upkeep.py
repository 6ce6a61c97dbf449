"""What an application clears away by itself."""

from __future__ import annotations

from datetime import timedelta

from freehold.jobs import job, schedule
from freehold.store import idempotency
from freehold.store.session import Session


@schedule("freehold.idempotency.sweep", every=timedelta(hours=1), missed="skip")
@job("freehold.idempotency.sweep", system="delete stored answers that are past their time")
async def sweep_keys(db: Session) -> None:
    """Delete stored answers that are past their time."""
    await idempotency.sweep(db)

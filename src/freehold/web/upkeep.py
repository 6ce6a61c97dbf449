"""What an application clears away by itself."""

from __future__ import annotations

from datetime import timedelta

from freehold.jobs import job, schedule
from freehold.store import idempotency
from freehold.store.purge import Purges, purge
from freehold.store.session import Session
from freehold.transfer import journal

KEPT_IMPORTS = timedelta(days=30)


@schedule("freehold.idempotency.sweep", every=timedelta(hours=1), missed="skip")
@job("freehold.idempotency.sweep", system="delete stored answers that are past their time")
async def sweep_keys(db: Session) -> None:
    """Delete stored answers that are past their time."""
    await idempotency.sweep(db)


@schedule("freehold.imports.sweep", every=timedelta(days=1), missed="skip")
@job("freehold.imports.sweep", system="forget imports that were done long ago")
async def sweep_imports(db: Session) -> None:
    """Forget imports that nothing has been added to for 30 days, and what was said of their rows."""
    await journal.sweep(db, older_than=KEPT_IMPORTS)


@schedule("freehold.deleted.purge", every=timedelta(hours=1), missed="skip")
@job("freehold.deleted.purge", system="remove for good what was deleted long ago")
async def purge_deleted(db: Session) -> None:
    """Remove for good what was deleted long ago."""
    for each in db.part(Purges):
        await purge(db, each)

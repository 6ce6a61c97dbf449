"""Locks that let writers take turns before they touch a row: by owner for quotas, by gallery for order and cover.

Always in this order: owner, gallery, rows. On SQLite there is one writer, and nothing to take.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from freehold.store.session import Session


async def of_owner(db: Session, owner_id: UUID) -> None:
    """One writer at a time may count what this owner keeps."""
    await _take(db, f"owner:{owner_id}")


async def of_gallery(db: Session, table: str, gallery: Any) -> None:
    """One writer at a time may put this gallery in order."""
    await _take(db, f"gallery:{table}:{gallery}")


async def _take(db: Session, name: str) -> None:
    if db.get_bind().dialect.name != "postgresql":
        return
    number = int.from_bytes(blake2b(b"freehold media " + name.encode(), digest_size=8).digest(), "big", signed=True)
    await db.execute(select(func.pg_advisory_xact_lock(number)))

"""Locks that let writers take turns before they touch a row: by owner for quotas, by gallery for order and cover.

Always in this order: owner, gallery, rows.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from freehold.store.session import Session
from freehold.store.turns import take_turn


async def of_owner(db: Session, owner_id: UUID) -> None:
    """One writer at a time may count what this owner keeps."""
    await take_turn(db, "media owner", str(owner_id))


async def of_gallery(db: Session, table: str, gallery: Any) -> None:
    """One writer at a time may put this gallery in order."""
    await take_turn(db, "media gallery", f"{table}:{gallery}")

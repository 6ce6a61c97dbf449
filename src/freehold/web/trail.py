"""What every write of an operation leaves beside its effect: its name in the trail, and the event that it happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from freehold.store.outbox import emit_each, is_heard
from freehold.store.session import Session
from freehold.web.bound import Bound


async def leave_trail(db: Session, bound: Bound, what: str, row: Any) -> None:
    """Name the deed for the audit record that the unit writes at its end, and write its event, if anybody waits for it.

    The record tells the fields that changed, from what to what (`store.trail`).
    """
    await leave_trails(db, bound, what, [row])


async def leave_trails(db: Session, bound: Bound, what: str, rows: Sequence[Any]) -> None:
    """The same for several rows, in two statements."""
    assert db.unit is not None
    keys = [getattr(row, bound.key_name) for row in rows]
    for key in keys:
        db.unit.trail.did(bound.resource.name, key, what)
    event = f"{bound.resource.name}.{what}"
    if not is_heard(db.parts, event):
        return
    payloads = {f"{bound.resource.name}:{key}": {"id": str(key)} for key in keys}
    await emit_each(db, event, payloads)

"""What every write of an operation leaves beside its effect: its name in the trail, and the event that it happened."""

from __future__ import annotations

from typing import Any

from freehold.store.outbox import emit
from freehold.store.unit import Unit
from freehold.web.bound import Bound


async def leave_trail(unit: Unit, bound: Bound, what: str, row: Any) -> None:
    """Name the deed for the audit record that the unit writes at its end, and write its event.

    The record tells the fields that changed, from what to what (`store.trail`).
    """
    key = getattr(row, bound.key_name)
    unit.trail.did(bound.resource.name, key, what)
    name = f"{bound.resource.name}.{what}"
    await emit(unit.session, name, key=f"{bound.resource.name}:{key}", payload={"id": str(key)})

"""What every write leaves beside its effect: who did it, and that it happened."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from freehold.store.audit import record
from freehold.store.outbox import emit
from freehold.store.unit import Unit
from freehold.web.bound import Bound


def snapshot(bound: Bound, row: Any) -> dict[str, Any]:
    """The columns of a row that are loaded, in JSON form, without the derived ones."""
    loaded = row.__dict__
    return {
        attribute.key: to_jsonable_python(loaded[attribute.key], fallback=str)
        for attribute in bound.mapper.column_attrs
        if attribute.key in loaded and not attribute.columns[0].info.get("fh_derived")
    }


async def leave_trail(unit: Unit, bound: Bound, what: str, row: Any, *, before: dict[str, Any] | None) -> None:
    """Write the audit record and the event of one change into the transaction of the change.

    Only the fields that changed are recorded, from what to what.
    """
    key = getattr(row, bound.key_name)
    after = snapshot(bound, row) if what != "deleted" else {}
    was, now = _difference(before or {}, after)
    name = f"{bound.resource.name}.{what}"
    await record(unit.session, name, subject_type=bound.resource.name, subject_id=key, before=was, after=now)
    await emit(unit.session, name, key=f"{bound.resource.name}:{key}", payload={"id": str(key)})


def _difference(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    was = {name: before[name] for name in changed if name in before}
    return was, {name: after[name] for name in changed if name in after}

"""What writing operations do to a row, inside a unit: shared by requests, by steps of a batch and by imports."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID

from pydantic import MISSING, BaseModel

from freehold.resource.merge import changed_values, recheck
from freehold.store.session import Session
from freehold.web.bound import Bound
from freehold.web.rows import check_fields, check_links
from freehold.web.runtime import Runtime

# Whose values are what they are, whatever else a draft may hold.
_SCALARS: Final = frozenset({NoneType, str, int, float, bool, UUID, Decimal, date, datetime})


async def create_row(db: Session, parts: Runtime, bound: Bound, draft: BaseModel) -> Any:
    """The new row, by the resource's own function where it has one; in the session.

    Flushed only where rules about the row go with fields that were sent.
    """
    await check_links(db, bound, draft)
    fields = {} if db.principal.is_system else bound.row_rules_for(draft.model_fields_set, db.principal)
    custom = bound.resource.create
    if custom is not None:
        row = await custom(db, await parts.actor_for(custom, db), draft)
    else:
        row = bound.model(**new_values(draft))
    if bound.owner is not None and getattr(row, bound.owner) is None:
        setattr(row, bound.owner, db.principal.id)
    db.add(row)
    if fields:
        await db.flush()
        await check_fields(db, bound, getattr(row, bound.key_name), fields)
    return row


async def change_row(db: Session, parts: Runtime, bound: Bound, row: Any, changes: BaseModel) -> None:
    """Change a row that was loaded for it, by the resource's own function where it has one; flushed."""
    await check_links(db, bound, changes)
    custom = bound.resource.update
    if custom is not None:
        await custom(db, await parts.actor_for(custom, db), row, changes)
    else:
        values = changed_values(row, changes)
        recheck(bound.create_schema, row, values)
        for name, value in values.items():
            setattr(row, name, value)
    await db.flush()


def new_values(draft: BaseModel) -> dict[str, Any]:
    """What was sent, and the schema's own defaults; an absent field without one is the database's matter."""
    values = draft.__dict__
    if not draft.model_extra and _SCALARS.issuperset(map(type, values.values())):
        return dict(values)
    defaults = {name: value for name, value in draft if name not in draft.model_fields_set and value is not MISSING}
    return {**defaults, **changed_values(object(), draft)}

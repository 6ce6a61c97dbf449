"""Erasing what the trail knows of rows, without a break in its chain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from freehold.store.audit import record
from freehold.store.audit_values import AUDIT_VALUES, ERASED

if TYPE_CHECKING:
    from freehold.store.session import Session


async def forget_history(
    db: Session, subject_type: str, keys: Iterable[object], *, fields: Iterable[str] | None = None
) -> int:
    """Erase what the trail holds of these rows: every value, or those of some fields. How many records lost any.

    subject_type: the name of the resource. That it was erased is recorded; who changed which field and when stays.
    Only what changes recorded by themselves is kept so; what a function gave to `audit()` cannot be erased.
    """
    subjects = [str(key) for key in keys]
    named = None if fields is None else sorted(fields)
    found = (await db.execute(_of(subject_type, subjects).with_for_update())).all()
    lost = [row for row in found if named is None or not row.content.keys().isdisjoint(named)]
    for row in lost:
        left = {} if named is None else {name: value for name, value in row.content.items() if name not in named}
        where = AUDIT_VALUES.c.record_id == row.record_id
        await db.execute(
            update(AUDIT_VALUES).where(where).values(content=left) if left else delete(AUDIT_VALUES).where(where)
        )
    for subject in dict.fromkeys(row.subject_id for row in lost):
        details = {"fields": named}
        await record(db, ERASED, subject_type=subject_type, subject_id=subject, details=details)
    return len(lost)


def _of(subject_type: str, subjects: list[str]) -> Any:
    here = AUDIT_VALUES.c.subject_type == subject_type, AUDIT_VALUES.c.subject_id.in_(subjects)
    return select(AUDIT_VALUES).where(*here).order_by(AUDIT_VALUES.c.record_id)

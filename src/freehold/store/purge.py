"""Rows that were deleted softly, removed for good once they have been away for long enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from freehold.resource import clock
from freehold.store.session import Session

_log = structlog.get_logger("freehold.store")
_PAGE = 200
MOST_PER_RUN = 2_000


@dataclass(frozen=True, slots=True)
class Purge:
    """One model whose deleted rows do not stay for ever."""

    model: type[DeclarativeBase]
    mark: str
    key: str
    subject: str
    after: timedelta


class Purges(list[Purge]):
    """Those of an application; a part of its database."""


async def purge(db: Session, each: Purge) -> int:
    """Remove what is due, up to 2,000 rows; how many. A row that others point to stays, and is named in the log.

    For a session in system scope.
    """
    removed, kept = 0, []
    async for row in _due(db, each):
        key = getattr(row, each.key)
        try:
            async with db.begin_nested():
                await db.delete(row)
                await db.flush()
        except IntegrityError:
            kept.append(str(key))
            continue
        if db.unit is not None:
            db.unit.trail.did(each.subject, key, "purged")
        removed += 1
        if removed == MOST_PER_RUN:
            break
    if kept:
        _log.info(
            "purge_kept_rows", resource=each.subject, rows=len(kept), first=kept[0], because="others point to them"
        )
    return removed


async def _due(db: Session, each: Purge) -> AsyncIterator[Any]:
    mark: InstrumentedAttribute[Any] = getattr(each.model, each.mark)
    key: InstrumentedAttribute[Any] = getattr(each.model, each.key)
    due = select(each.model).where(mark < clock.now() - each.after)
    asked = due.order_by(key).limit(_PAGE).with_for_update(skip_locked=True)
    further = asked
    while page := (await db.scalars(further)).all():
        # From the last key on, so that rows which have to stay do not stand in the way of the others.
        further = asked.where(key > getattr(page[-1], each.key))
        for row in page:
            yield row

"""What others ask of the list of properties: a query kept by somebody, checked and asked by the list's own rules."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from freehold import Principal, Session
from freehold.store import Lists

from .models import Property


def check(db: Session, query: str, *, seen_by: Principal) -> frozenset[str]:
    """The names of the query's parameters. Raises Invalid, as the list would, with each parameter at fault."""
    return db.part(Lists).check(Property, query, seen_by=seen_by)


async def last_listed_at(db: Session) -> datetime | None:
    """When a property came onto the market last. For a session in system scope."""
    return await db.scalar(select(func.max(Property.listed_at)))


async def news(
    db: Session, query: str, *, reader_id: UUID, since: datetime, told: Select[UUID], limit: int
) -> list[tuple[UUID, str]]:
    """Id and title of what was listed after `since` and the query finds, of what this reader may see.

    Without the reader's own, and without the ids in `told`. Raises Invalid for a query that the list takes no longer.
    """
    conditions = (
        Property.status == "listed",
        Property.listed_at > since,
        Property.landlord_id != reader_id,
        Property.id.not_in(told),
    )
    # Without any role: a reviewer's alerts tell what everybody's do.
    lists, reader = db.part(Lists), Principal(id=reader_id)
    found = await lists.rows(db, Property, query, *conditions, columns=[Property.title], seen_by=reader, limit=limit)
    return [(key, title) for key, title in found]

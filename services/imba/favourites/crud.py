"""Putting listings aside. Doing it twice is doing it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select

from freehold import NotFound, Principal, Session

from ..properties import crud as properties
from ..users import crud as users
from .models import Favourite
from .schemas import FavouriteDraft, FavouriteRead


async def add(db: Session, actor: Principal, draft: FavouriteDraft) -> Favourite:
    """Put aside what the draft names; the present favourite where there is one. `POST` has seen that it is there."""
    assert actor.id is not None
    await users.take_turns(db, actor.id)  # a second request of the same person finds what the first has made
    known = await db.scalar(_of(actor.id, draft.property_id))
    if known is not None:
        return known
    favourite = Favourite(user_id=actor.id, property_id=draft.property_id)
    db.add(favourite)
    await db.flush()
    return favourite


async def put(db: Session, actor: Principal, property_id: UUID) -> Favourite:
    """The same for a listing named in a path. Raises NotFound where the caller may see none."""
    if await properties.find(db, property_id) is None:
        raise NotFound
    return await add(db, actor, FavouriteDraft(property_id=property_id))


async def remove(db: Session, actor: Principal, property_id: UUID) -> None:
    """Put it aside no more. Without effect where it was not, or is no listing at all: the answer tells neither."""
    assert actor.id is not None
    known = await db.scalar(_of(actor.id, property_id))
    if known is not None:
        await db.delete(known)


def is_offered() -> ColumnElement[bool]:
    """SQL: the listing of a favourite is on the market."""
    return properties.on_market(Favourite.property_id)


async def counts(db: Session, property_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many people have put each listing aside, where any have: a number, and nothing of whom."""
    counted = select(Favourite.property_id, func.count()).where(Favourite.property_id.in_(property_ids))
    async with db.unscoped("how often a listing was put aside, without by whom") as system_db:
        found = await system_db.execute(counted.group_by(Favourite.property_id))
        return {row[0]: row[1] for row in found}


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """The person's favourites, for an export. For a session in system scope."""
    mine = select(Favourite).where(Favourite.user_id == user_id).order_by(Favourite.id)
    return [FavouriteRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, user_id: UUID) -> None:
    """Remove them. For a session in system scope."""
    await db.execute(delete(Favourite).where(Favourite.user_id == user_id))


def _of(user_id: UUID, property_id: UUID) -> Select[Favourite]:
    return select(Favourite).where(Favourite.user_id == user_id, Favourite.property_id == property_id)

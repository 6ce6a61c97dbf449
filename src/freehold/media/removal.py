"""Taking a file away: out of sight in the commit, out of the store by a job that survives everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold.media.gallery import gallery_of, tell_cover
from freehold.media.library import Library
from freehold.resource import clock
from freehold.resource.principal import Principal
from freehold.store.session import Session


async def delete(db: Session, actor: Principal, row: Any) -> None:
    """Hide a file at once; what keeps it follows unless somebody holds it. The delete function of the resource."""
    library = db.part(Library)
    row.deleted_at, row.is_cover = clock.now(), False
    medium_id, is_held, gallery = row.id, row.is_held, gallery_of(library.media, row)
    async with db.unscoped("a gallery loses a picture, and the store its file") as system_db:
        await tell_cover(system_db, library.media, gallery)
        if not is_held:
            await library.erase.enqueue(system_db, medium_id=medium_id, key=str(medium_id))


async def hold(db: Session, ids: Sequence[UUID]) -> None:
    """Keep these files although their owners may delete them, until `release`. For any writing session."""
    await _held(db, ids, held=True)


async def release(db: Session, ids: Sequence[UUID]) -> None:
    """Nobody needs these files any more: those that their owners have deleted are erased now."""
    library = db.part(Library)
    for row in await _held(db, ids, held=False):
        if row.deleted_at is not None:
            await library.erase.enqueue(db, medium_id=row.id, key=str(row.id))


async def redact(db: Session, ids: Sequence[UUID]) -> None:
    """Erase these files for good, held or not: out of sight with this commit, out of the store soon after."""
    await _redact(db, db.part(Library).media.model.id.in_(ids))


async def redact_of(db: Session, owner_id: UUID) -> None:
    """Erase everything that an owner has uploaded, and what it has begun to."""
    library = db.part(Library)
    await _redact(db, library.media.model.owner_id == owner_id)
    async with db.unscoped("an owner leaves") as system_db:
        await library.uploads.abandon(system_db, owner_id)


async def _redact(db: Session, which: Any) -> None:
    library = db.part(Library)
    async with db.unscoped("files are erased for good") as system_db:
        rows = (await system_db.scalars(select(library.media.model).where(which))).all()
        for row in rows:
            row.deleted_at, row.is_cover, row.is_held = row.deleted_at or clock.now(), False, False
            await library.erase.enqueue(system_db, medium_id=row.id, key=str(row.id))
        await system_db.flush()
        for gallery in {gallery_of(library.media, row) for row in rows}:
            await tell_cover(system_db, library.media, gallery)


async def _held(db: Session, ids: Sequence[UUID], *, held: bool) -> list[Any]:
    model = db.part(Library).media.model
    async with db.unscoped("a file is needed, or not any more") as system_db:
        rows = list(await system_db.scalars(select(model).where(model.id.in_(ids)).with_for_update()))
        for row in rows:
            row.is_held = held
    return rows

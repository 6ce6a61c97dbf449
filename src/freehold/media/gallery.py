"""The order of a gallery, and the picture that stands for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from freehold.errors import FieldError, Invalid
from freehold.media import turns
from freehold.media.declaration import Media
from freehold.media.library import Library
from freehold.media.schemas import MediaChanges
from freehold.resource.principal import Principal
from freehold.store.session import Session


async def take_turn(db: Session, medium_id: UUID) -> None:
    """Before a row of a gallery is locked: whoever locks one and then needs the others would wait in a circle."""
    media = db.part(Library).media
    if media.gallery is None:
        return
    column = getattr(media.model, media.gallery)
    gallery = await db.scalar(select(column).where(media.model.id == medium_id))
    if gallery is not None:
        await turns.of_gallery(db, media.model.__tablename__, gallery)


async def change(db: Session, actor: Principal, row: Any, changes: MediaChanges) -> None:
    """Alternative text, place in the gallery, cover. The update function of the resource."""
    sent, media = changes.model_fields_set, db.part(Library).media
    if "alt_text" in sent:
        row.alt_text = changes.alt_text
    moves = [name for name in ("position", "is_cover") if name in sent]
    if not moves:
        return
    gallery = gallery_of(media, row)
    if gallery is None:
        refused = [FieldError("no_gallery", "This file stands in no gallery", pointer=f"/{name}") for name in moves]
        raise Invalid(errors=refused)
    if changes.is_cover and row.purpose != media.shown_in_galleries:
        raise Invalid(errors=[FieldError("no_cover", "This file is not shown in the gallery", pointer="/is_cover")])
    async with db.unscoped("the other files of a gallery move along") as system_db:
        rows = await _rows(system_db, media, gallery, row.purpose)
        if "position" in sent:
            _move(rows, row.id, changes.position)
        if "is_cover" in sent:
            for each in rows:  # the one that stops being it first: at no instant are there two
                each.is_cover = each.is_cover and each.id == row.id
            await system_db.flush()
            next(each for each in rows if each.id == row.id).is_cover = changes.is_cover
        await system_db.flush()
        await tell_cover(system_db, media, gallery)
    await db.refresh(row)


def _move(rows: list[Any], medium_id: UUID, position: int) -> None:
    moved = next(each for each in rows if each.id == medium_id)
    rows.remove(moved)
    rows.insert(position, moved)
    for place, each in enumerate(rows):
        each.position = place


async def next_position(db: Session, media: Media, gallery: Any, purpose: str) -> int:
    """The place behind the last. For a session in system scope that has the gallery's turn."""
    if media.gallery is None or gallery is None:
        return 0
    await turns.of_gallery(db, media.model.__tablename__, gallery)
    model = media.model
    last = select(func.max(model.position)).where(
        getattr(model, media.gallery) == gallery, model.purpose == purpose, model.deleted_at.is_(None)
    )
    found = await db.scalar(last)
    return 0 if found is None else found + 1


async def tell_cover(db: Session, media: Media, gallery: Any) -> None:
    """Tell the application which picture a gallery shows first. For a session in system scope."""
    if media.on_cover is None or gallery is None:
        return
    model = media.model
    first = (
        select(model.id)
        .where(
            getattr(model, str(media.gallery)) == gallery,
            model.purpose == media.shown_in_galleries,
            model.status == "ready",
            model.deleted_at.is_(None),
        )
        .order_by(model.is_cover.desc(), model.position, model.id)
        .limit(1)
    )
    await media.on_cover(db, gallery, await db.scalar(first))


def gallery_of(media: Media, row: Any) -> Any:
    """The gallery that a file stands in; None where it stands in none."""
    return None if media.gallery is None else getattr(row, media.gallery)


async def _rows(db: Session, media: Media, gallery: Any, purpose: str) -> list[Any]:
    model = media.model
    statement = (
        select(model)
        .where(getattr(model, str(media.gallery)) == gallery, model.purpose == purpose, model.deleted_at.is_(None))
        .order_by(model.position, model.id)
    )
    return list(await db.scalars(statement))

"""What an owner may keep: counted in the transaction that adds to it, while nobody else adds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from freehold.errors import Conflict
from freehold.media import turns
from freehold.media.declaration import Media, Purpose
from freehold.media.tables import UPLOADS
from freehold.resource import clock
from freehold.store.session import Session


class QuotaReached(Conflict):
    """The owner keeps as much already as one may; something has to be deleted first."""

    code, title = "media.quota_reached", "No room for this file"


async def make_room(
    db: Session,
    media: Media,
    owner_id: UUID,
    *,
    size_bytes: int,
    purpose: Purpose | None = None,
    gallery: Any = None,
    upload_id: UUID | None = None,
) -> None:
    """Raise QuotaReached unless a file of this size still fits. For a session in system scope; holds the owner's turn.

    upload_id: the upload that becomes the file, and has been counted already.
    """
    await turns.of_owner(db, owner_id)
    model = media.model
    kept = and_(model.owner_id == owner_id, or_(model.deleted_at.is_(None), model.is_held))
    files, used = (await db.execute(_sums(model.size_bytes, kept))).one()
    begun = and_(UPLOADS.c.owner_id == owner_id, UPLOADS.c.state == "open", UPLOADS.c.expires_at > clock.now())
    if upload_id is not None:
        begun = and_(begun, UPLOADS.c.id != upload_id)
    uploads, reserved = (await db.execute(_sums(UPLOADS.c.size_bytes, begun))).one()
    quota = media.quota
    if files + uploads + 1 > quota.max_files:
        raise QuotaReached(f"One may keep {quota.max_files} files. Delete some first.")
    if used + reserved + size_bytes > quota.max_bytes:
        left = max(0, quota.max_bytes - used - reserved)
        raise QuotaReached(f"One may keep {quota.max_bytes} bytes, of which {left} are left. Delete something first.")
    if purpose is not None:
        await _refuse_crowd(db, media, owner_id, purpose, gallery)


async def _refuse_crowd(db: Session, media: Media, owner_id: UUID, purpose: Purpose, gallery: Any) -> None:
    if purpose.max_count is None:
        return
    model = media.model
    there = and_(model.purpose == purpose.name, model.deleted_at.is_(None))
    where = [model.owner_id == owner_id]
    if media.gallery is not None:
        where = [getattr(model, media.gallery) == gallery, *(where if gallery is None else [])]
    if gallery is not None:
        await turns.of_gallery(db, model.__tablename__, gallery)
    count = await db.scalar(select(func.count()).select_from(model).where(there, *where))
    if (count or 0) >= purpose.max_count:
        raise QuotaReached(
            f"There is room for {purpose.max_count} files of the purpose {purpose.name!r}. Delete one first."
        )


def _sums(size: Any, condition: ColumnElement[bool]) -> Any:
    return select(func.count(), func.coalesce(func.sum(size), 0)).where(condition)

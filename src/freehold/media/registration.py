"""The row of a file, made in the commit that makes it count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from freehold.media.declaration import Purpose
from freehold.media.gallery import gallery_of, next_position, tell_cover
from freehold.media.intake import Intake, Judged
from freehold.media.library import Library
from freehold.media.names import display_name
from freehold.media.quota import make_room
from freehold.media.schemas import MediaForm
from freehold.store.session import Session


async def register(
    db: Session,
    library: Library,
    *,
    medium_id: UUID,
    owner_id: UUID,
    form: MediaForm,
    purpose: Purpose,
    intake: Intake,
    judged: Judged,
    filename: str | None,
    upload_id: UUID | None = None,
) -> Any:
    """Add the row of a file that is in the store by now. Raises QuotaReached."""
    media = library.media
    gallery = None if media.gallery is None else getattr(form, media.gallery, None)
    async with db.unscoped("count what an owner keeps") as system_db:
        await make_room(
            system_db, media, owner_id, size_bytes=intake.size_bytes, purpose=purpose, gallery=gallery, upload_id=upload_id
        )  # fmt: skip
        position = await next_position(system_db, media, gallery, purpose.name)
    row = media.model(
        **form.model_dump(),
        id=medium_id,
        owner_id=owner_id,
        status="processing" if purpose.variants else "ready",
        filename=display_name(filename, extension=judged.format.extensions[0]),
        content_type=judged.format.content_type,
        size_bytes=intake.size_bytes,
        digest=intake.digest,
        width=judged.width,
        height=judged.height,
        position=position,
    )
    db.add(row)
    await db.flush()
    if purpose.variants:
        await library.render.enqueue(db, medium_id=medium_id, key=str(medium_id))
    elif purpose.name == media.shown_in_galleries:
        async with db.unscoped("a gallery gets a picture") as system_db:
            await tell_cover(system_db, media, gallery_of(media, row))
    return row

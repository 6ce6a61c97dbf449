"""Uploads in pieces: what has arrived is noted piece by piece, and survives whatever happens to process and client.

A piece is an object of its own; the row names them in order. The file is put together once all of it is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, insert, select, update

from freehold.errors import Conflict, NotFound
from freehold.media.declaration import Media
from freehold.media.files import Files
from freehold.media.quota import make_room
from freehold.media.tables import UPLOADS
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.store.session import Session

PIECE_BYTES = 4 * 1024 * 1024
MAX_PIECES = 2_000  # as many as a bad line may break off at; each costs a row's width and an object


class OffsetConflict(Conflict):
    """The upload does not stand at the offset that the request goes on from."""

    code, title = "media.upload_offset", "The upload stands elsewhere"


class TooManyPieces(Conflict):
    """The upload came in so many small chunks that it is given up."""

    code, title = "media.upload_pieces", "Too many pieces"


class Uploads:
    """The uploads of one application."""

    def __init__(self, media: Media, files: Files) -> None:
        self._media = media
        self._files = files

    async def begin(
        self,
        db: Session,
        owner_id: UUID,
        *,
        size_bytes: int,
        form: dict[str, Any],
        filename: str | None,
        declared: str | None,
    ) -> Row[Any]:
        """Note an upload, which counts as long as it will be from now on. Raises QuotaReached. In system scope."""
        await make_room(db, self._media, owner_id, size_bytes=size_bytes)
        values = {
            "id": new_id(), "owner_id": owner_id, "form": form, "filename": filename, "declared_type": declared,
            "size_bytes": size_bytes, "medium_id": new_id(), "pieces": [],
            "expires_at": clock.now() + self._media.upload_lifetime,
        }  # fmt: skip
        made: Row[Any] = (await db.execute(insert(UPLOADS).values(values).returning(UPLOADS))).one()
        return made

    async def find(self, db: Session, upload_id: UUID, owner_id: UUID | None) -> Row[Any]:
        """The owner's upload, while it lasts. Raises NotFound."""
        mine = select(UPLOADS).where(
            UPLOADS.c.id == upload_id, UPLOADS.c.owner_id == owner_id, UPLOADS.c.expires_at > clock.now()
        )
        found: Row[Any] | None = (await db.execute(mine)).one_or_none()
        if found is None:
            raise NotFound
        return found

    async def put_piece(self, upload: Row[Any], data: bytes) -> str:
        """Write a piece; its key. It counts once `note` has committed."""
        key = f"uploads/{upload.id}/{uuid4().hex}"

        async def once() -> AsyncIterator[bytes]:
            yield data

        await self._files.put(key, once())
        return key

    async def note(self, db: Session, upload: Row[Any], keys: Sequence[str], size_bytes: int) -> Row[Any]:
        """The upload with these pieces at its end.

        Raises OffsetConflict when another request went on meanwhile, TooManyPieces.
        """
        if len(upload.pieces) + len(keys) > MAX_PIECES:
            raise TooManyPieces("Send it in larger chunks.")
        statement = (
            update(UPLOADS)
            .where(UPLOADS.c.id == upload.id, UPLOADS.c.offset_bytes == upload.offset_bytes, UPLOADS.c.state == "open")
            .values(
                offset_bytes=upload.offset_bytes + size_bytes,
                pieces=[*upload.pieces, *keys],
                expires_at=clock.now() + self._media.upload_lifetime,
            )
            .returning(UPLOADS)
        )
        found: Row[Any] | None = (await db.execute(statement)).one_or_none()
        if found is None:
            raise OffsetConflict("Another request went on with this upload: ask for its offset.")
        return found

    async def content(self, upload: Row[Any]) -> AsyncIterator[bytes]:
        """What has arrived, in order."""
        for key in upload.pieces:
            async for chunk in self._files.read(key):
                yield chunk

    async def done(self, db: Session, upload_id: UUID, medium_id: UUID) -> None:
        """Mark an open upload as the file that it became. Raises OffsetConflict where it was ended before."""
        if not await self._end(db, upload_id, state="done", medium_id=medium_id):
            raise OffsetConflict("This upload has ended: look at it.")

    async def refuse(self, db: Session, upload_id: UUID, failure: dict[str, Any]) -> None:
        """Mark an open upload as refused. Without effect where it was ended before."""
        await self._end(db, upload_id, state="refused", failure=failure)

    async def _end(self, db: Session, upload_id: UUID, **values: Any) -> bool:
        statement = (
            update(UPLOADS)
            .where(UPLOADS.c.id == upload_id, UPLOADS.c.state == "open")
            .values(pieces=[], **values)
            .returning(UPLOADS.c.id)
        )
        return (await db.execute(statement)).first() is not None

    async def drop(self, db: Session, upload_id: UUID) -> None:
        """Forget an upload. Its pieces are to be cleared once that is committed."""
        await db.execute(delete(UPLOADS).where(UPLOADS.c.id == upload_id))

    async def clear(self, keys: Sequence[str]) -> None:
        """Remove pieces from the store."""
        for key in keys:
            await self._files.delete(key)

    async def end_expired(self, db: Session, *, now: datetime | None = None) -> list[str]:
        """Forget the uploads whose time is over; the keys of their pieces, to be cleared after the commit."""
        over = delete(UPLOADS).where(UPLOADS.c.expires_at <= (now or clock.now())).returning(UPLOADS.c.pieces)
        return [key for pieces in await db.scalars(over) for key in pieces]

    async def abandon(self, db: Session, owner_id: UUID) -> None:
        """Forget what an owner has begun; the sweep clears the pieces."""
        await db.execute(delete(UPLOADS).where(UPLOADS.c.owner_id == owner_id))

    async def names(self, db: Session, upload_id: UUID, key: str) -> bool:
        """Whether a piece belongs to an upload that is still under way."""
        pieces = await db.scalar(select(UPLOADS.c.pieces).where(UPLOADS.c.id == upload_id, UPLOADS.c.state == "open"))
        return pieces is not None and key in pieces

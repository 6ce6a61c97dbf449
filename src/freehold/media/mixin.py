"""`MediaMixin`: the columns of a file that somebody uploaded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Enum, String
from sqlalchemy.orm import Mapped, mapped_column

Status: TypeAlias = Literal["processing", "ready", "failed"]

ALT_TEXT_LENGTH = 500


class MediaMixin:
    """Put it before `Base` in the model of uploaded files, and add what they belong to::

        class Medium(MediaMixin, Base):
            __tablename__ = "media"
            property_id: Mapped[UUID | None] = mapped_column(ForeignKey("properties.id"), index=True)

    deleted_at: asked to be deleted; the objects and then the row follow. is_held: something still needs the file, so
    that a deletion waits for it. position: in its gallery, from 0; equal ones stand in the order of their ids.
    """

    owner_id: Mapped[UUID] = mapped_column(index=True, sort_order=-5)
    purpose: Mapped[str] = mapped_column(String(40), index=True)
    status: Mapped[Status] = mapped_column(
        Enum("processing", "ready", "failed", native_enum=False, length=20), default="processing", index=True
    )
    failure: Mapped[str | None] = mapped_column(
        String(200), doc="Why there are no variants, for the person who sent it"
    )
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64), doc="SHA-256 of the file, in hexadecimal")
    width: Mapped[int | None]
    height: Mapped[int | None]
    renditions: Mapped[dict[str, Any] | None] = mapped_column(JSON, doc="Size -> [width, height] of what was made")
    alt_text: Mapped[str] = mapped_column(String(ALT_TEXT_LENGTH), default="")
    position: Mapped[int] = mapped_column(default=0, index=True)
    is_cover: Mapped[bool] = mapped_column(default=False)
    is_held: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(index=True)

"""A small service with files: albums that people own, with photos, clips and papers in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, MetaData, and_, exists
from sqlalchemy.orm import Mapped, mapped_column

from freehold import (
    Access,
    Forbidden,
    Freehold,
    Identity,
    Principal,
    Resource,
    Session,
    UserMixin,
    owner,
    role,
    signed_in,
    where,
)
from freehold.media import PICTURES, Media, MediaForm, MediaMixin, MediaQuota, MediaRead, Purpose
from freehold.resource.base import NAMING, new_id
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings

ADA, BOB, STAFF = new_id(), new_id(), new_id()


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class GalleryUser(UserMixin, Base):
    __tablename__ = "users"


class GalleryAlbum(Base):
    __tablename__ = "albums"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    cover_id: Mapped[UUID | None]


class GalleryMedium(MediaMixin, Base):
    __tablename__ = "media"
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("albums.id"), index=True)


class Form(MediaForm):
    album_id: UUID | None = None


class Shown(MediaRead):
    album_id: UUID | None


async def attach(db: Session, actor: Principal, form: Any) -> None:
    album = None if form.album_id is None else await db.get(GalleryAlbum, form.album_id)
    if album is not None and album.owner_id != actor.id:
        raise Forbidden("That album is somebody else's.")


async def show_cover(db: Session, album_id: UUID, medium_id: UUID | None) -> None:
    album = await db.get_one(GalleryAlbum, album_id)
    album.cover_id = medium_id


def build(url: str, folder: Path, *, files_url: str = "", **changes: Any) -> Freehold:
    public = exists().where(GalleryAlbum.id == GalleryMedium.album_id, GalleryAlbum.is_public.is_(True))
    options: dict[str, Any] = {
        "purposes": [
            Purpose("photo", types=PICTURES, variants=True, max_bytes=2_000_000, max_count=20),
            Purpose("video", types=["video/mp4"], max_bytes=9_000_000),
            Purpose("paper", types=["application/pdf", "image/png"], private=True, max_bytes=300_000),
        ],
        "access": Access(
            read=where(and_(GalleryMedium.purpose != "paper", public))
            | owner("owner_id")
            | (where(GalleryMedium.purpose == "paper") & role("staff")),
            create=signed_in,
            update=owner("owner_id"),
            delete=owner("owner_id"),
        ),
        "form": Form,
        "read": Shown,
        "attach": attach,
        "gallery": "album_id",
        "on_cover": show_cover,
        "kept_for": role("staff"),
        "quota": MediaQuota(max_bytes=20_000_000, max_files=40),
    }
    settings = Settings(
        env="test",
        database_url=url,
        var_dir=folder,
        files_url=files_url,
        limits="off",
        secret="s" * 40,
        log_level="warning",
    )
    albums = Resource(
        GalleryAlbum,
        access=Access(read=where(GalleryAlbum.is_public.is_(True)) | owner("owner_id"), write=owner("owner_id")),
    )
    media, identity = Media(GalleryMedium, **(options | changes)), Identity(user=GalleryUser)
    return Freehold(albums, media=media, identity=identity, settings=settings)

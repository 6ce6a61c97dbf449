"""A small service to put proofs to the test: folders of notes that people own, and a public catalogue of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from freehold import (
    Access,
    Conflict,
    Db,
    Freehold,
    Principal,
    Queries,
    Resource,
    Router,
    Session,
    allow,
    anyone,
    owner,
    role,
    signed_in,
    unique_while,
    where,
)
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.columns import folded, search_document
from freehold.settings import Settings
from freehold.traffic import Cache


class Base(FreeholdBase):
    __abstract__ = True
    metadata = FreeholdBase.metadata.__class__(naming_convention=FreeholdBase.metadata.naming_convention)


class Folder(Base):
    __tablename__ = "sample_folders"
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(60))
    notes: Mapped[list[Note]] = relationship(back_populates="folder")


class Note(Base):
    __tablename__ = "sample_notes"
    owner_id: Mapped[UUID]
    folder_id: Mapped[UUID] = mapped_column(ForeignKey("sample_folders.id"))
    folder: Mapped[Folder] = relationship(back_populates="notes")
    title: Mapped[str] = mapped_column(String(60))
    title_key: Mapped[str] = folded("title", index=True)
    text: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(10), default="draft")
    score: Mapped[int] = mapped_column(default=0, index=True)
    memo: Mapped[str | None] = mapped_column(String(60))
    slug: Mapped[str] = mapped_column(String(60))
    document: Mapped[str] = search_document("title", "text")


class Label(Base):
    __tablename__ = "sample_labels"
    name: Mapped[str] = mapped_column(String(30))


class Hint(BaseModel):
    text: Annotated[str, Field(max_length=40)]


class Related(BaseModel):
    titles: list[str]


async def publish(db: Session, actor: Principal, note: Note) -> Note:
    """Publish a note."""
    if note.state == "published":
        raise Conflict("It is published already.", code="sample.published")
    note.state = "published"
    return note


async def related(db: Session, actor: Principal, note: Note) -> Related:
    """Titles of the notes in the same folder."""
    found = await db.scalars(select(Note.title).where(Note.folder_id == note.folder_id).order_by(Note.title))
    return Related(titles=list(found))


async def newest(db: Session, actor: Principal) -> Related:
    """Titles of the newest notes that one may read."""
    return Related(titles=list(await db.scalars(select(Note.title).order_by(Note.created_at.desc(), Note.id).limit(3))))


READ_NOTES = owner("owner_id") | owner("folder.owner_id") | role("auditor") | where(lambda: Note.state == "published")
NOTE_ACCESS = Access(
    read=READ_NOTES, create=signed_in, update=owner("owner_id"), delete=owner("owner_id") | role("auditor"),
    read_fields={"memo": owner("owner_id")}, write_fields={"state": role("auditor")},
)  # fmt: skip
FOLDER_ACCESS = Access(read=owner("owner_id") | role("auditor"), write=owner("owner_id"))

KEPT = Cache(seconds=60)  # nobody learns more from an answer that is kept than from one that is made
LABEL_ACCESS = Access(read=anyone, write=role("auditor"))
own_routes = Router(prefix="/v1/sample-statistics", tags=["statistics"])


@own_routes.get("/notes", dependencies=[allow(anyone, cache=KEPT)])
async def count_notes(db: Db) -> int:
    return int(await db.scalar(select(func.count()).select_from(Note)) or 0)


def notes(**changed: Any) -> Resource:
    """The notes, whole. changed: arguments of `Resource` in place of the right ones."""
    declared: dict[str, Any] = {
        "name": "notes",
        "access": NOTE_ACCESS,
        "queries": Queries(
            filters=["title", "title__contains", "state", "score__gte", "folder_id"],
            sort=["created_at", "title", "score"],
            search=["title", "text"],
            expand=["folder"],
            facets=["state"],
        ),
        "invariants": [unique_while("slug", name="sample_slug")],
        "public_facts": ["slug"],
        "cache": KEPT,
    }
    resource = Resource(Note, **{**declared, **changed})
    resource.action("publication", publish, access=owner("owner_id"), method="PUT")
    resource.view("related", related, returns=Related, cache=KEPT)
    resource.overview("newest", newest, returns=Related, cache=KEPT)
    return resource


def folders(**changed: Any) -> Resource:
    """The folders, with their notes below them."""
    return Resource(Folder, **{"name": "folders", "access": FOLDER_ACCESS, "cache": KEPT, **changed})


def build(
    var_dir: Path,
    *,
    note: Resource | None = None,
    folder: Resource | None = None,
    routers: Sequence[Router] = (own_routes,),
    url: str | None = None,
    labels: Access = LABEL_ACCESS,
) -> Freehold:
    """The service, or a weakened one."""
    note, folder = note or notes(), folder or folders()
    folder.nested("notes", note, by="folder_id")
    label = Resource(Label, name="labels", access=labels)
    settings = Settings(
        env="test", var_dir=var_dir, secret="not a secret, only long enough to be taken for one", limits="off", log_level="error",
        **({"database_url": url} if url else {}),
    )  # type: ignore[arg-type]  # fmt: skip
    return Freehold(note, folder, label, title="Sample", settings=settings, routers=routers, authenticator=Nobody())


class Nobody:
    """Nobody can log in: tests say who is there."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        """Always nobody."""
        return Principal()


__all__ = ["Base", "DeclarativeBase", "Folder", "Hint", "Label", "Note", "build", "folders", "notes"]

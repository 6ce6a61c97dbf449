"""`Media`: which files an application takes, how large, for what, and who may see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, inspect

from freehold.errors import ConfigurationError
from freehold.media.formats import Format, known
from freehold.media.mixin import MediaMixin
from freehold.media.schemas import MediaChanges, MediaForm, MediaRead
from freehold.resource.access import Access, Rule, nobody, where
from freehold.resource.declaration import Queries, Resource, Schemas
from freehold.resource.invariants import unique_while
from freehold.resource.principal import Principal
from freehold.store.session import Session

MIB = 1024 * 1024
PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
VIDEOS = ("video/mp4", "video/webm", "video/quicktime")
DOCUMENTS = ("application/pdf", "image/jpeg", "image/png")

Attach = Callable[[Session, Principal, Any], Awaitable[None]]
CoverChanged = Callable[[Session, Any, UUID | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a file may be for.

    types: the media types that are taken, told from the content. max_bytes: of one file. variants: made of pictures,
    which are then never served as they came; all types have to be pictures. private: never public, served as a
    download to those who may read it. max_count: files of this purpose in one gallery (of one owner without one).
    """

    name: str
    types: Sequence[str]
    max_bytes: int = 25 * MIB
    variants: bool = False
    private: bool = False
    max_count: int | None = None

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats behind `types`."""
        return tuple(known(each) for each in self.types)


@dataclass(frozen=True, slots=True)
class MediaQuota:
    """What one owner may keep, all purposes together. Uploads that have been begun count as long as they will be."""

    max_bytes: int = 2048 * MIB
    max_files: int = 1000


@dataclass(slots=True, eq=False)
class Media:
    """Declare the files of an application; give it as `Freehold(..., media=…)`.

    model: has `MediaMixin`. access: `read`, `create`, `update`, `delete`; a file that was deleted is gone for everyone
    whatever they say. form: the fields beside the file, `MediaForm` or a subclass with columns of the model. read: what
    is shown, `MediaRead` or a subclass. attach: judges `(db, actor, form)` before the file is kept (may this caller put
    it there?). gallery: the column that files of a gallery share. gallery_of: the purpose that galleries show.
    on_cover: told `(db, gallery, id or None)`, in system scope, in the commit in which another picture becomes the
    first to be shown. kept_for: who reads a held file after its owner has deleted it. filters: of the list, beside
    `owner_id`, `purpose` and `status`. max_pixels: of a picture, by its header. seconds: of computing time for one
    picture. memory_bytes: of its worker. link_lifetime: of a signed address, until it is used. reading_lifetime: how long
    the client that used it goes on asking for ranges. uploads_at_once: of one owner, in each process, or in
    all that share a Redis. direct: a signed address leads to the object store itself, where that signs addresses.
    """

    model: type[Any]
    purposes: Sequence[Purpose]
    access: Access
    form: type[MediaForm] = MediaForm
    read: type[MediaRead] = MediaRead
    quota: MediaQuota = field(default_factory=MediaQuota)
    attach: Attach | None = None
    gallery: str | None = None
    gallery_of: str | None = None
    on_cover: CoverChanged | None = None
    kept_for: Rule = nobody
    filters: Sequence[str] = ()
    max_pixels: int = 40_000_000
    seconds: float = 5.0
    memory_bytes: int = 256 * MIB
    link_lifetime: timedelta = timedelta(minutes=5)
    reading_lifetime: timedelta = timedelta(hours=1)
    uploads_at_once: int = 10
    direct: bool = False
    upload_lifetime: timedelta = timedelta(hours=24)
    resource: Resource = field(init=False)

    def __post_init__(self) -> None:
        """Check the declaration and make the resource. Raises ConfigurationError."""
        if not issubclass(self.model, MediaMixin):
            raise ConfigurationError(f"media: {self.model.__name__} has no MediaMixin among its bases")
        if not self.purposes:
            raise ConfigurationError("media: name at least one Purpose")
        if self.uploads_at_once < 1:
            raise ConfigurationError("media: uploads_at_once must be at least 1")
        for each in self.purposes:
            _check(each)
        columns = inspect(self.model).column_attrs
        for name in filter(None, (self.gallery, *self.form.model_fields)):
            if name not in columns:
                raise ConfigurationError(f"media: {self.model.__name__} has no column {name!r}")
        self.resource = self._resource()

    def purpose(self, name: str) -> Purpose | None:
        """The purpose of a name."""
        return next((each for each in self.purposes if each.name == name), None)

    @property
    def largest_bytes(self) -> int:
        """The most that any purpose takes."""
        return max(each.max_bytes for each in self.purposes)

    @property
    def shown_in_galleries(self) -> str | None:
        """The purpose whose files a gallery shows: the first with variants unless declared."""
        return self.gallery_of or next((each.name for each in self.purposes if each.variants), None)

    def is_private(self, row: Any) -> bool:
        """Whether a file is for those who may read it alone; one whose purpose is gone is."""
        found = self.purpose(row.purpose)
        return found is None or found.private

    def has_variants(self, row: Any) -> bool:
        """Whether a file is a picture that is shown in variants."""
        found = self.purpose(row.purpose)
        return found is not None and found.variants

    def _resource(self) -> Resource:
        from freehold.media import gallery, removal  # noqa: PLC0415  # they read this module

        model, access = self.model, self.access
        there = where(model.deleted_at.is_(None))
        read = there & access.read
        if self.kept_for != nobody:
            read |= where(and_(model.deleted_at.is_not(None), model.is_held)) & self.kept_for
        beside = [self.gallery] if self.gallery and self.gallery not in self.filters else []
        return Resource(
            model,
            name="media",
            schemas=Schemas(read=self.read, update=MediaChanges),
            access=replace(
                access,
                read=read,
                write=nobody,
                create=nobody,  # by the operations of `web`, which judge `access.create`
                update=there & access.rule("update"),
                delete=there & access.rule("delete"),
            ),
            owner="owner_id",
            update=gallery.change,
            delete=removal.delete,
            turnstile=gallery.take_turn,
            queries=Queries(
                filters=["owner_id", "purpose", "status", *beside, *self.filters], sort=["-created_at", "position"]
            ),
            invariants=self._invariants(),
        )

    def _invariants(self) -> list[Any]:
        if self.gallery is None:
            return []
        model = self.model
        one = and_(model.is_cover.is_(True), model.deleted_at.is_(None))
        return [unique_while(self.gallery, when=one, code="media.cover_taken", name=f"{model.__tablename__}_cover")]


def _check(purpose: Purpose) -> None:
    kinds = {each.kind for each in purpose.formats}
    if purpose.variants and kinds != {"image"}:
        raise ConfigurationError(f"media: {purpose.name}: variants are made of pictures alone")
    if purpose.variants and purpose.private:
        raise ConfigurationError(f"media: {purpose.name}: variants are public; keep private pictures as they are")
    if purpose.max_bytes < 1:
        raise ConfigurationError(f"media: {purpose.name}: max_bytes must be positive")

"""What clients send and see of a file. A service adds its own fields by subclassing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, computed_field

from freehold.media.mixin import ALT_TEXT_LENGTH, Status
from freehold.media.variants import SIZES
from freehold.resource.values import Prose

AltText = Annotated[
    Prose, Field(max_length=ALT_TEXT_LENGTH, description="What the picture shows, for who cannot see it")
]


class MediaForm(BaseModel):
    """The fields that stand beside the file. Subclass it for what the file belongs to."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(description="What the file is for", examples=["photo"])
    alt_text: AltText = ""


class MediaChanges(BaseModel):
    """What may be changed of a file. Its content never does."""

    model_config = ConfigDict(extra="forbid", strict=True)

    alt_text: AltText = ""
    position: int = Field(
        default=0, ge=0, le=100_000, description="Place in the gallery, from 0; the others move along"
    )
    is_cover: bool = Field(default=False, description="The one that stands for the gallery; another one stops being it")


class Variants(BaseModel):
    """Addresses of a picture's sizes, each in AVIF, WebP or JPEG as `Accept` asks. Null until they are made."""

    thumb: str | None
    card: str | None
    full: str | None


class MediaRead(BaseModel):
    """An uploaded file."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner_id: UUID
    purpose: str
    status: Status
    failure: str | None
    filename: str
    content_type: str
    size_bytes: int
    width: int | None
    height: int | None
    alt_text: str
    position: int
    is_cover: bool
    renditions: dict[str, Any] | None = Field(exclude=True)
    created_at: datetime
    updated_at: datetime

    @computed_field(description="The file itself; of a picture, its largest variant")  # type: ignore[prop-decorator]
    @property
    def url(self) -> str:
        """See the field's description."""
        return content_path(self.id)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def variants(self) -> Variants:
        """See `Variants`."""
        made = self.renditions or {}
        return Variants(**{name: content_path(self.id, variant=name) if name in made else None for name in SIZES})


def content_path(medium_id: UUID, *, variant: str | None = None) -> str:
    """Where a file, or a variant of a picture, is found. It does not expire."""
    return f"/v1/media/{medium_id}/content" + (f"?variant={variant}" if variant else "")

"""What clients send and see of a file, beyond what every service has."""

from __future__ import annotations

from uuid import UUID

from freehold.media import MediaForm, MediaRead


class MediumForm(MediaForm):
    """The fields beside the file."""

    property_id: UUID | None = None


class MediumRead(MediaRead):
    """A photo, a video or a document."""

    property_id: UUID | None

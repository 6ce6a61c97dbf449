"""The formats that are known, and how content tells which it is.

What is not listed here is never stored: SVG, HTML and scripts are text to a sniffer, and come back as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import ConfigurationError

HEAD_BYTES = 8 * 1024  # as much of the beginning as any sniffer looks at


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its media type, the extensions that agree with it (the first is given to downloads), its kind."""

    content_type: str
    extensions: tuple[str, ...]
    kind: str
    also: tuple[str, ...] = ()

    def agrees(self, *, declared: str | None, extension: str) -> bool:
        """Whether what the client says of the file is what it is. Saying nothing agrees with everything."""
        said = (declared or self.content_type).partition(";")[0].strip().lower()
        return said in (self.content_type, *self.also) and (not extension or extension in self.extensions)


FORMATS: dict[str, Format] = {
    each.content_type: each
    for each in (
        Format("image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), "image", ("image/jpg", "image/pjpeg")),
        Format("image/png", ("png", "apng"), "image", ("image/apng", "image/x-png")),
        Format("image/webp", ("webp",), "image"),
        Format("image/gif", ("gif",), "image"),
        Format("image/avif", ("avif",), "image"),
        Format("video/mp4", ("mp4", "m4v"), "video", ("video/x-m4v",)),
        Format("video/webm", ("webm",), "video"),
        Format("video/quicktime", ("mov", "qt"), "video"),
        Format("application/pdf", ("pdf",), "document"),
    )
}
_CANONICAL = {alias: each.content_type for each in FORMATS.values() for alias in each.also}


def known(content_type: str) -> Format:
    """The format of a media type. Raises ConfigurationError for one that is not known."""
    found = FORMATS.get(_CANONICAL.get(content_type, content_type))
    if found is None:
        raise ConfigurationError(
            f"media: {content_type!r} is not a format that can be told by its content; known are {', '.join(FORMATS)}"
        )
    return found


def told_by(head: bytes) -> Format | None:
    """The format that the first bytes of a file show; None where they show none that is known."""
    import filetype  # noqa: PLC0415  # comes with the extra `media`

    if head.startswith(b"%PDF-"):
        return FORMATS["application/pdf"]
    guessed = filetype.guess_mime(head)
    return FORMATS.get(_CANONICAL.get(guessed, guessed)) if guessed else None

"""The sizes that are made of a picture, and the formats of each. One place for the worker and for the answers."""

from __future__ import annotations

SIZES: dict[str, int] = {"thumb": 320, "card": 800, "full": 2048}
"""Longest side in pixels. A smaller picture is not enlarged."""
LARGEST = "full"

OUTPUTS: dict[str, str] = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg"}
"""Extension -> media type, the one that is sent first if the client takes it in front."""


def original_key(medium_id: object) -> str:
    """Where a file is kept as it came."""
    return f"media/{medium_id}/original"


def variant_key(medium_id: object, size: str, output: str) -> str:
    """Where one rendition is kept."""
    return f"media/{medium_id}/{size}.{output}"


def folder(medium_id: object) -> str:
    """What everything of one file is kept below."""
    return f"media/{medium_id}/"
